// Names to addresses. No test asks a name server: "localhost" is in /etc/hosts, and ".invalid" has no addresses.
#include "each_runtime.hpp"

#include <netdb.h>

#include <algorithm>
#include <set>
#include <string>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

class resolver : public EachRuntime {};
INSTANTIATE_TEST_SUITE_P(on, resolver, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

TEST_P(resolver, localhost) {
  auto body = []() -> Task<> {
    const std::vector<SocketAddress> addresses = (co_await resolve("localhost", 8080)).value();
    EXPECT_FALSE(addresses.empty());
    std::set<std::string> different;
    for (const SocketAddress& address : addresses) {
      EXPECT_TRUE(address.is_loopback()) << address.to_string();
      EXPECT_EQ(address.port(), 8080);
      EXPECT_TRUE(different.insert(address.to_string()).second) << "each once";
    }
  };
  run(body());
  runtime_->block_on(body());
}

TEST_P(resolver, an_address_is_not_looked_up) {
  auto body = []() -> Task<> {
    const std::size_t threads = running_threads();
    for (const char* text : {"127.0.0.1", "10.20.30.40", "::1", "fe80::1%1"}) {
      const auto addresses = (co_await resolve(text, 53)).value();
      EXPECT_EQ(addresses.size(), 1u);
      EXPECT_EQ(addresses.front(), SocketAddress::from_ip(text, 53).value());
    }
    EXPECT_EQ(running_threads(), threads) << "no thread of the pool is needed";
  };
  run(body());
}

TEST_P(resolver, a_name_that_is_none_is_named) {
  auto body = []() -> Task<> {
    const auto missing = co_await resolve("no-such-host.invalid", 80);
    EXPECT_FALSE(missing);
    EXPECT_EQ(missing.error().message().rfind("resolve no-such-host.invalid: ", 0), 0u) << missing.error().message();
    // Without a network the answer may be that nobody answers.
    EXPECT_TRUE(missing.error().code() == ResolverError::host_not_found ||
                missing.error().code() == ResolverError::temporary_failure)
        << missing.error().message();
    EXPECT_STREQ(missing.error().code().category().name(), "resolver");
    EXPECT_EQ((co_await resolve("", 80)).error(), std::errc::invalid_argument);
    EXPECT_EQ((co_await resolve(std::string("local\0host", 10), 80)).error(), std::errc::invalid_argument);
    EXPECT_FALSE(co_await connect("no-such-host.invalid", 80));
  };
  run(body());
}

TEST_P(resolver, connects_to_a_name) {
  auto body = []() -> Task<> {
    TcpListener listener = TcpListener::bind(SocketAddress::loopback(0)).value();
    const std::uint16_t port = listener.local_address().value().port();
    // localhost may be [::1] too, where nobody listens: that must not matter.
    const TcpStream stream = (co_await connect("localhost", port)).value();
    EXPECT_EQ(stream.peer_address().value(), SocketAddress::loopback(port));
    EXPECT_TRUE(co_await listener.accept());
  };
  run(body());
}

TEST_P(resolver, a_look_up_may_be_dropped) {
  auto body = []() -> Task<> {
    for (int i = 0; i < 20; ++i) {
      auto first = co_await select(resolve("localhost", 80), yield_now());
      if (first.index() == 0) {
        EXPECT_TRUE(std::get<0>(first));
      }
    }
    EXPECT_TRUE(co_await resolve("localhost", 80));
  };
  run(body());
}

TEST(resolver_error, codes) {
  EXPECT_EQ(resolver_error_code(EAI_NONAME, 0), ResolverError::host_not_found);
  EXPECT_EQ(resolver_error_code(-5, 0), ResolverError::host_not_found);
  EXPECT_EQ(resolver_error_code(EAI_AGAIN, 0), ResolverError::temporary_failure);
  EXPECT_EQ(resolver_error_code(EAI_MEMORY, 0), std::errc::not_enough_memory);
  EXPECT_EQ(resolver_error_code(EAI_SYSTEM, EMFILE), std::errc::too_many_files_open);
  EXPECT_EQ(resolver_error_code(EAI_FAIL, 0).message(), ::gai_strerror(EAI_FAIL));
}

}  // namespace
}  // namespace skua::tests
