// Sleeps, limits and regular work.
#include <skua/skua.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <optional>
#include <system_error>
#include <utility>

using namespace skua;
using namespace std::chrono_literals;

// docs:begin regular
/// Once every `period`, however long the work takes; what was missed meanwhile is left out.
Task<int> reports(Duration period, int count) {
  Interval every = interval(period);  // the first tick is at once
  every.set_missed_ticks(MissedTicks::skip);
  for (int i = 0; i < count; ++i) {
    co_await every.tick();
    std::printf("report %d\n", i);
  }
  co_return count;
}
// docs:end

// docs:begin limits
/// Both steps together may take half a second, the second alone 100 ms.
Task<Result<int>> two_steps() {
  const Instant deadline = Clock::now() + 500ms;
  co_await try_(timeout_at(deadline, sleep(1ms)));
  Result<int> number = co_await timeout(100ms, timeout_at(deadline, reports(1ms, 3)));
  if (!number && number.error() == std::errc::timed_out) std::puts("too slow");
  co_return number;
}
// docs:end

// docs:begin idle
/// Reads until the peer is silent for `longest`. One timer for the connection, pushed on by each message.
Task<std::size_t> reads_until_silent(UnixStream stream, Duration longest) {
  std::array<char, 1024> buffer;
  std::size_t total = 0;
  Sleep silence = sleep(longest);
  for (;;) {
    const auto first = co_await select(biased, stream.read(buffer), silence);
    if (first.index() == 1) co_return total;
    const Result<std::size_t>& n = std::get<0>(first);
    if (!n || *n == 0) co_return total;
    total += *n;
    silence.reset(Clock::now() + longest);  // writes one word
  }
}
// docs:end

Task<int> all() {
  Result<int> number = co_await two_steps();
  auto [here, there] = UnixStream::pair().value();
  auto reader = spawn(reads_until_silent(std::move(there), 50ms));
  for (int i = 0; i < 3; ++i) static_cast<void>(co_await here.write_all("hello"));
  co_return number.value() + static_cast<int>((co_await reader).value());
}

int main() {
  // In virtual time, for this is a test too, and the machine may be busy: without the clock it does the same.
  Runtime runtime = Builder().clock(VirtualClock()).build().value();
  return runtime.block_on(all()) == 3 + 15 ? 0 : 1;
}
