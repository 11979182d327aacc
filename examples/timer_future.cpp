// Awaits the hand-written TimerFuture (timer_future.hpp): two polls, however long it sleeps.
#include "timer_future.hpp"

#include <skua/skua.hpp>

#include <cstdio>

using namespace skua;
using namespace std::chrono_literals;

Task<bool> takes_two_polls(std::chrono::milliseconds delay) {
  const Instant start = Clock::now();
  const int polls = co_await TimerFuture(delay);
  const Duration passed = Clock::now() - start;
  std::printf("%lld ms: %d polls\n", static_cast<long long>(delay.count()), polls);
  co_return polls == 2 && passed >= delay;
}

int main() {
  Runtime runtime;
  const bool short_one = runtime.block_on(takes_two_polls(20ms));
  const bool long_one = runtime.block_on(takes_two_polls(2s));
  return short_one && long_one ? 0 : 1;
}
