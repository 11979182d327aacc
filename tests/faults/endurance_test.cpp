// Faults that last: nobody spins while they do, and everything goes on when they are over.
#include "../runtime/each_runtime.hpp"
#include "../support/watchdog.hpp"
#include "fault_plan.hpp"
#include "peer.hpp"
#include "tasks.hpp"

#include <sys/resource.h>

#include <ostream>
#include <string>
#include <thread>
#include <vector>

namespace skua::tests {
namespace {

using namespace std::chrono_literals;

constexpr Duration it_lasts = 300ms;
// In a millisecond: a try of each of three drivers, of some calls each; who spins makes hundreds.
constexpr std::uint64_t most_calls = 60;

struct Trouble {
  Setup setup;
  Call call;
  int error;  // 0: returns at once, with nothing
};
std::string name_of(const Trouble& trouble) {
  return std::string(name_of(trouble.call)) + "_" +
         (trouble.error == 0 ? "returns_at_once" : ::strerrorname_np(trouble.error)) + "_" + name_of(trouble.setup);
}
void PrintTo(const Trouble& trouble, std::ostream* out) { *out << name_of(trouble); }

std::vector<Trouble> all_troubles() {
  std::vector<Trouble> all;
  for (const Setup& setup : every_setup) {
    if (setup.backend == Backend::epoll) {
      for (const int error : {ENOMEM, EIO}) all.push_back({setup, Call::epoll_wait, error});
    } else {
      for (const int error : {EAGAIN, EBUSY, EBADR, ENOMEM}) all.push_back({setup, Call::ring_wait, error});
      for (const int error : {0, EAGAIN, EBUSY, ENOMEM}) all.push_back({setup, Call::ring_submit, error});
    }
  }
  return all;
}

class endurance : public testing::TestWithParam<Trouble> {};
INSTANTIATE_TEST_SUITE_P(of, endurance, testing::ValuesIn(all_troubles()),
                         [](const auto& parameter) { return name_of(parameter.param); });

Task<bool> accepts_and_reads(TcpListener listener) {
  TcpStream stream = (co_await listener.accept()).value().stream;
  std::array<char, 4> buffer;
  Result<std::size_t> count = co_await stream.read(buffer);
  co_return std::move(count).value_or(0) == 4;
}

std::chrono::nanoseconds processor_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

TEST_P(endurance, nobody_spins_and_everything_goes_on) {
  const Trouble& trouble = GetParam();
  FaultPlan plan;
  const Watchdog dog(watchdog, [&] { return name_of(trouble) + "\n" + plan.describe(); });
  auto runtime = build(trouble.setup);
  if (!runtime) GTEST_SKIP() << name_of(trouble.setup) << " is refused here: " << runtime.error().message();
  TcpListener listener = TcpListener::bind(SocketAddress::loopback(0)).value();
  const SocketAddress address = listener.local_address().value();
  std::this_thread::sleep_for(5ms);  // everybody has gone to sleep

  auto rule = plan.on(trouble.call);
  trouble.error == 0 ? rule.always().returns_zero() : rule.always().fails(trouble.error);
  auto handle = runtime->spawn(accepts_and_reads(std::move(listener)));
  const std::uint64_t before = plan.calls();
  const auto time_before = processor_time();
  const Instant begin = now();
  std::this_thread::sleep_for(it_lasts);
  // Taken first: a busy machine may make it longer.
  const std::uint64_t calls = plan.calls() - before;
  const auto time = processor_time() - time_before;
  const Duration lasted = now() - begin;
  EXPECT_LT(calls, most_calls * static_cast<std::uint64_t>(lasted / 1ms)) << plan.describe();
  EXPECT_LT(time, lasted / 2);
  EXPECT_GE(plan.delivered(), 1) << "the fault was not delivered; this has shown nothing";

  plan.lift();
  const Descriptor peer = connect_peer(address);
  send_from(peer, "ping");
  auto result = await_within(handle);
  ASSERT_TRUE(result) << plan.describe();
  EXPECT_TRUE(std::move(*result).value());
}

}  // namespace
}  // namespace skua::tests
