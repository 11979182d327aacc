// A week of retries in no time: code that sleeps, tested in virtual time.
#include <skua/skua.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>

using namespace skua;
using namespace std::chrono_literals;

// docs:begin code
/// Asks once an hour until somebody answers within ten seconds. Knows nothing of virtual time.
Task<int> asks_hourly(Receiver<int>& answers) {
  Interval every_hour = interval(1h);
  for (int asked = 1;; ++asked) {
    co_await every_hour.tick();
    if (co_await timeout(10s, answers.receive())) co_return asked;
  }
}
// docs:end

// docs:begin test
Task<> answers_in_a_week(Sender<int> answers) {
  co_await sleep(7 * 24h + 5s);
  static_cast<void>(co_await answers.send(42));
}

Task<> test() {
  auto [sender, receiver] = channel<int>(1);
  spawn(answers_in_a_week(std::move(sender))).detach();
  const Instant start = Clock::now();
  const int asked = co_await asks_hourly(receiver);
  if (asked != 7 * 24 + 1) std::abort();
  if (Clock::now() - start != 7 * 24h + 5s) std::abort();  // to the nanosecond
}

int main() {
  VirtualClock clock;
  Runtime runtime = Builder().clock(clock).build().value();
  runtime.block_on(test());  // takes a millisecond
  std::puts("a week has passed");
}
// docs:end
