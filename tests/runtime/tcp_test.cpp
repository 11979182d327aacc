// TCP over loopback: connecting, accepting, options. What holds for every stream is in socket_stream_test.cpp.
#include "transports.hpp"

#include <fcntl.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

class tcp : public EachRuntime {};
INSTANTIATE_TEST_SUITE_P(on, tcp, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

TcpListener listen() { return Tcp::listen(); }
SocketAddress address_of(const TcpListener& listener) { return listener.local_address().value(); }
using TcpPair = Pair<TcpStream>;
Task<TcpPair> connect_tcp() { return connect_pair<Tcp>(); }

// --- Connecting -----------------------------------------------------------------------------------------------------

TEST_P(tcp, refused_connection_names_the_address) {
  auto body = []() -> Task<> {
    SocketAddress address;
    {
      const TcpListener listener = listen();
      address = address_of(listener);
    }
    const auto refused = co_await TcpStream::connect(address);
    EXPECT_FALSE(refused);
    EXPECT_EQ(refused.error(), std::errc::connection_refused);
    EXPECT_EQ(refused.error().message(), "connect " + address.to_string() + ": Connection refused");
  };
  run(body());
  runtime_->block_on(body());
}

TEST_P(tcp, address_in_use_names_the_address) {
  const TcpListener listener = listen();
  const auto second = TcpListener::bind(address_of(listener));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message(), "bind " + address_of(listener).to_string() + ": Address already in use");
}

TEST_P(tcp, ipv6) {
  auto listener = TcpListener::bind(SocketAddress::loopback_v6(0));
  if (!listener) GTEST_SKIP() << "no IPv6 here: " << listener.error().message();
  auto body = [](TcpListener& on) -> Task<> {
    TcpStream client = (co_await TcpStream::connect(address_of(on))).value();
    Accepted accepted = (co_await on.accept()).value();
    EXPECT_EQ(accepted.peer, client.local_address().value());
    EXPECT_EQ(accepted.peer.to_string().substr(0, 6), "[::1]:");
    client.set_ttl(3).value();
    (co_await client.write_all("six")).value();
    std::array<char, 8> buffer;
    EXPECT_EQ((co_await accepted.stream.read(buffer)).value(), 3u);
  };
  run(body(*listener));
}

Task<> check_options(TcpStream& stream) {
  for (const bool on : {true, false}) {
    stream.set_nodelay(on).value();
    EXPECT_EQ(stream.nodelay().value(), on);
    stream.set_keepalive(on).value();
    EXPECT_EQ(stream.keepalive().value(), on);
    stream.set_quickack(on).value();
    EXPECT_EQ(stream.quickack().value(), on);
  }
  KeepaliveOptions keepalive;
  keepalive.idle = 31s;
  keepalive.interval = 7s;
  keepalive.count = 4;
  stream.set_keepalive(keepalive).value();
  EXPECT_TRUE(stream.keepalive().value());
  EXPECT_EQ(stream.keepalive_options().value().idle, 31s);
  EXPECT_EQ(stream.keepalive_options().value().interval, 7s);
  EXPECT_EQ(stream.keepalive_options().value().count, 4);
  EXPECT_EQ(stream.linger().value(), std::nullopt);
  stream.set_linger(3s).value();
  EXPECT_EQ(stream.linger().value(), 3s);
  stream.set_linger(std::nullopt).value();
  EXPECT_EQ(stream.linger().value(), std::nullopt);
  stream.set_user_timeout(12'345ms).value();
  EXPECT_EQ(stream.user_timeout().value(), 12'345ms);
  stream.set_send_buffer_size(32768).value();
  EXPECT_EQ(stream.send_buffer_size().value(), 65536);
  stream.set_receive_buffer_size(32768).value();
  EXPECT_EQ(stream.receive_buffer_size().value(), 65536);
  stream.set_ttl(7).value();
  EXPECT_EQ(stream.ttl().value(), 7);
  stream.set_tos(0x10).value();
  EXPECT_EQ(stream.tos().value(), 0x10);
  const auto bad = stream.set_ttl(1000);
  EXPECT_EQ(bad.error(), std::errc::invalid_argument);
  EXPECT_STREQ(bad.error().operation(),
               stream.local_address().value().is_v6() ? "set IPV6_UNICAST_HOPS" : "set IP_TTL");
  EXPECT_TRUE(stream.take_error());
  EXPECT_EQ(stream.device().value(), "");
  EXPECT_NE(::fcntl(stream.socket().native_handle(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(::fcntl(stream.socket().native_handle(), F_GETFL) & O_NONBLOCK, 0);
  co_return;
}

TEST_P(tcp, options) {
  auto body = []() -> Task<> {
    TcpPair pair = co_await connect_tcp();
    co_await check_options(pair.client);
    co_await check_options(pair.server);
    EXPECT_EQ(pair.client.peer_address().value(), pair.server.local_address().value());
    // Needs a privilege on old kernels.
    if (pair.client.bind_device("lo")) {
      EXPECT_EQ(pair.client.device().value(), "lo");
    }
    EXPECT_EQ(pair.client.bind_device("no-such-device").error(), std::errc::no_such_device);
    auto six = TcpListener::bind(SocketAddress::loopback_v6(0));
    if (!six) co_return;
    TcpStream over_six = (co_await TcpStream::connect(address_of(*six))).value();
    co_await check_options(over_six);
  };
  run(body());
}

TEST_P(tcp, listen_options) {
  auto body = []() -> Task<> {
    ListenOptions options;
    options.reuse_port = true;
    options.defer_accept = 2s;
    options.fastopen_queue = 5;
    TcpListener first = TcpListener::bind(SocketAddress::loopback(0), options).value();
    const TcpListener second = TcpListener::bind(address_of(first), options).value();
    EXPECT_TRUE(first.reuse_port().value());
    EXPECT_TRUE(first.reuse_address().value());
    EXPECT_EQ(first.socket().option(IPPROTO_TCP, TCP_FASTOPEN, "get").value(), 5);
    EXPECT_GE(first.socket().option(IPPROTO_TCP, TCP_DEFER_ACCEPT, "get").value(), 2);
    options = ListenOptions();
    options.only_v6 = true;
    const auto six = TcpListener::bind(SocketAddress::any_v6(0), options);
    if (!six) co_return;
    EXPECT_TRUE(six->only_v6().value());
    EXPECT_FALSE(co_await TcpStream::connect(SocketAddress::loopback(address_of(*six).port())));
    options.only_v6 = false;
    const TcpListener both = TcpListener::bind(SocketAddress::any_v6(0), options).value();
    EXPECT_TRUE(co_await TcpStream::connect(SocketAddress::loopback(address_of(both).port())));
  };
  run(body());
}

TEST_P(tcp, a_socket_is_bound_before_it_connects) {
  auto body = []() -> Task<> {
    TcpListener listener = listen();
    TcpSocket socket = TcpSocket::bind(SocketAddress::parse("127.0.0.3:0").value()).value();
    socket.set_receive_buffer_size(16384).value();
    TcpStream client = (co_await std::move(socket).connect(address_of(listener))).value();
    const Accepted accepted = (co_await listener.accept()).value();
    EXPECT_EQ(accepted.peer.ip(), "127.0.0.3");
    EXPECT_EQ(client.local_address().value(), accepted.peer);
    EXPECT_EQ(client.receive_buffer_size().value(), 32768);

    TcpSocket second = TcpSocket::bind(SocketAddress::loopback(0)).value();
    TcpListener other = std::move(second).listen().value();
    EXPECT_TRUE(co_await TcpStream::connect(address_of(other)));
  };
  run(body());
}

TEST_P(tcp, peer_resets) {
  auto body = []() -> Task<> {
    for (const bool writing : {false, true}) {
      TcpPair pair = co_await connect_tcp();
      auto resets = [](TcpStream stream) -> Task<> {
        co_await sleep(3ms);
        stream.set_linger(0s).value();
      };
      auto peer = spawn(resets(std::move(pair.server)));
      std::array<char, 16> buffer;
      const std::vector<char> block(1 << 20);
      Result<void> wrote;
      while (writing && wrote) wrote = co_await pair.client.write_all(block);
      const auto read = co_await pair.client.read(buffer);
      if (writing) {
        EXPECT_TRUE(wrote.error() == std::errc::connection_reset || wrote.error() == std::errc::broken_pipe);
      } else {
        EXPECT_EQ(read.error(), std::errc::connection_reset);
      }
      (co_await peer).value();
    }
  };
  run(body());
}

// --- Several addresses ----------------------------------------------------------------------------------------------

SocketAddress refusing_address() { return address_of(listen()); }

/// A listener whose queue is full: further attempts get no answer.
struct Silent {
  Silent() : listener(TcpSocket::bind(SocketAddress::loopback(0)).value().listen(0).value()) {}
  Task<> fill() {
    for (int i = 0; i < 4; ++i) {
      auto attempt = co_await timeout(50ms, TcpStream::connect(address_of(listener)));
      if (!attempt) co_return;
      queued.push_back(*std::move(attempt));
    }
    ADD_FAILURE() << "every attempt was answered";
  }
  TcpListener listener;
  std::vector<TcpStream> queued;
};

TEST_P(tcp, each_failed_address_is_named) {
  auto body = []() -> Task<> {
    const std::vector<SocketAddress> addresses{refusing_address(), refusing_address()};
    const auto refused = co_await TcpStream::connect(addresses);
    EXPECT_EQ(refused.error(), std::errc::connection_refused);
    EXPECT_EQ(refused.error().message(), "connect " + addresses[0].to_string() + " (Connection refused), " +
                                             addresses[1].to_string() + ": Connection refused");
    const auto none = co_await TcpStream::connect(std::vector<SocketAddress>());
    EXPECT_EQ(none.error(), std::errc::invalid_argument);
  };
  run(body());
}

TEST_P(tcp, the_next_address_is_tried_after_a_failure) {
  auto body = []() -> Task<> {
    const TcpListener listener = listen();
    ConnectOptions options;
    options.stagger = Duration::max();  // only a failure brings the next one
    const std::vector<SocketAddress> addresses{refusing_address(), refusing_address(), address_of(listener)};
    TcpStream stream = (co_await TcpStream::connect(addresses, options)).value();
    EXPECT_EQ(stream.peer_address().value(), address_of(listener));
  };
  run(body());
}

TEST_P(tcp, the_next_address_is_tried_beside_one_that_does_not_answer) {
  auto body = []() -> Task<> {
    const TcpListener listener = listen();
    Silent silent;
    co_await silent.fill();
    ConnectOptions options;
    options.stagger = 5ms;
    options.attempt_timeout = 1h;
    const std::vector<SocketAddress> addresses{address_of(silent.listener), address_of(listener)};
    TcpStream stream = (co_await TcpStream::connect(addresses, options)).value();
    EXPECT_EQ(stream.peer_address().value(), address_of(listener));
  };
  const std::size_t before = open_descriptors();
  run(body());
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= before; })) << "the other attempt is given up";
}

TEST_P(tcp, each_attempt_is_limited) {
  auto body = []() -> Task<> {
    Silent silent;
    co_await silent.fill();
    ConnectOptions options;
    options.attempt_timeout = 20ms;
    const std::vector<SocketAddress> addresses{address_of(silent.listener)};
    const auto late = co_await TcpStream::connect(addresses, options);
    EXPECT_EQ(late.error(), std::errc::timed_out);
    EXPECT_NE(late.error().message().find(address_of(silent.listener).to_string()), std::string::npos);
  };
  run(body());
}

// --- Urgent data ----------------------------------------------------------------------------------------------------

// A read stops at the urgent mark, though bytes follow: a short read that has not emptied the socket.
TEST_P(tcp, bytes_behind_the_urgent_mark_are_read) {
  if (GetParam().backend == Backend::io_uring) GTEST_SKIP() << "a ring does not tell urgent data from other bytes";
  auto body = [](bool in_line) -> Task<> {
    for (int round = 0; round < 20; ++round) {
      TcpPair pair = co_await connect_tcp();
      pair.server.socket().set_option(SOL_SOCKET, SO_OOBINLINE, in_line, "set SO_OOBINLINE").value();
      std::array<char, 64> buffer;
      // The server is known to the driver, and waits.
      auto waits = co_await select(pair.server.read(buffer), sleep(round % 2 == 0 ? 0us : 100us));
      EXPECT_EQ(waits.index(), 1u);
      const int client = pair.client.socket().native_handle();
      EXPECT_EQ(::send(client, "abc", 3, MSG_NOSIGNAL), 3);
      EXPECT_EQ(::send(client, "!", 1, MSG_OOB | MSG_NOSIGNAL), 1);
      EXPECT_EQ(::send(client, "def", 3, MSG_NOSIGNAL), 3);
      const std::string expected = in_line ? "abc!def" : "abcdef";
      std::string received;
      while (received.size() < expected.size()) {
        const auto count = co_await timeout(10s, pair.server.read(buffer));
        if (!count) break;
        received.append(buffer.data(), *count);
      }
      EXPECT_EQ(received, expected);
    }
  };
  run(body(false));
  run(body(true));
}

// --- Accepting ------------------------------------------------------------------------------------------------------

Task<> greets(TcpStream stream) { static_cast<void>(co_await stream.write_all("hello")); }
Task<> accepts_for_ever(TcpListener& listener) {
  for (;;) spawn(greets((co_await listener.accept()).value().stream)).detach();
}
Task<int> is_greeted(SocketAddress address, int times) {
  int greeted = 0;
  for (int i = 0; i < times; ++i) {
    TcpStream stream = (co_await TcpStream::connect(address)).value();
    std::array<char, 5> buffer;
    greeted += (co_await read_exactly(stream, buffer.data(), 5)).value() == 5 ? 1 : 0;
  }
  co_return greeted;
}

TEST_P(tcp, a_thousand_connections_leave_no_descriptor) {
  auto body = []() -> Task<> {
    TcpListener listener = listen();
    auto acceptor = spawn(accepts_for_ever(listener));
    EXPECT_EQ(co_await is_greeted(address_of(listener), scaled(1000, 100)), scaled(1000, 100));
    acceptor.abort();
    static_cast<void>(co_await acceptor);
  };
  const std::size_t before = open_descriptors();
  run(body());
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= before; })) << open_descriptors() << " of " << before;
}

}  // namespace
}  // namespace skua::tests
