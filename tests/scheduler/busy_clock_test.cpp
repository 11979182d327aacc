#include <skua/core/thread.hpp>
#include <skua/scheduler/busy_clock.hpp>

#include <gtest/gtest.h>

#include <atomic>

namespace skua::scheduler {
namespace {

using namespace std::chrono_literals;
constexpr Instant origin{1000h};

Duration total(const BusyClock& clock, Instant now) {
  return clock.total([now] { return now; });
}

TEST(busy_clock, adds_up_the_times_awake) {
  BusyClock clock;
  EXPECT_EQ(total(clock, origin), 0ns);
  clock.begin(origin);
  EXPECT_EQ(total(clock, origin + 5s), 5s) << "while it is awake";
  clock.end(origin + 6s);
  EXPECT_EQ(total(clock, origin + 9s), 6s) << "while it sleeps";
  clock.begin(origin + 100s);
  EXPECT_EQ(total(clock, origin + 101s), 7s);
  clock.end(origin + 102s);
  EXPECT_EQ(total(clock, origin + 999s), 8s);
}

// It looked at the clock, and was interrupted before it could store.
TEST(busy_clock, a_reader_that_comes_while_the_worker_falls_asleep) {
  BusyClock clock;
  clock.begin(origin);
  EXPECT_EQ(total(clock, origin + 7s), 7s);
  clock.end(origin + 5s);
  EXPECT_EQ(total(clock, origin + 8s), 7s) << "not less than was told";
  clock.begin(origin + 10s);
  EXPECT_EQ(total(clock, origin + 11s), 7s);
  EXPECT_EQ(total(clock, origin + 13s), 8s) << "and no more than was";
}

TEST(busy_clock, never_goes_down_for_a_reader) {
  BusyClock clock;
  std::atomic<bool> stop{false};
  seam::Thread writer("writer", [&] {
    while (!stop) {
      clock.begin(seam::now());
      clock.end(seam::now());
    }
  });
  Duration last{0};
  for (int i = 0; i < 100'000; ++i) {
    const Duration sum = clock.total();
    ASSERT_GE(sum, last);
    last = sum;
  }
  stop = true;
  writer.join();
}

}  // namespace
}  // namespace skua::scheduler
