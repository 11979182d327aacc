// How often a busy worker looks elsewhere follows how long its tasks take.
#include <skua/scheduler/poll_pace.hpp>

#include <gtest/gtest.h>

using namespace skua;
using namespace skua::scheduler;
using namespace std::chrono_literals;

namespace {

/// Runs tasks of `each` until the pace has settled; returns how many run between two looks then.
std::uint32_t tasks_between_looks(PollPace& pace, Instant& now, Duration each) {
  std::uint32_t tasks = 0;
  for (int looks = 0; looks < 100; ++looks) {
    for (tasks = 1; !pace.is_time_to_look(); ++tasks) now += each;
    now += each;
    pace.looked(now);
  }
  return tasks;
}

}  // namespace

TEST(poll_pace, short_tasks_share_a_look_and_long_ones_do_not) {
  Instant now{};
  PollPace pace(now);
  EXPECT_EQ(tasks_between_looks(pace, now, 1us), 61u);
  EXPECT_EQ(pace.inject_interval(), 31u);
  EXPECT_NEAR(tasks_between_looks(pace, now, 50us), 10, 1);
  EXPECT_NEAR(pace.inject_interval(), 4, 1);
  EXPECT_EQ(tasks_between_looks(pace, now, 1ms), 2u);
  EXPECT_EQ(pace.inject_interval(), 2u);
  EXPECT_EQ(tasks_between_looks(pace, now, 1us), 61u);
}

TEST(poll_pace, time_asleep_is_not_time_of_tasks) {
  Instant now{};
  PollPace pace(now);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(pace.is_time_to_look());
    now += 10s;
    pace.restart(now);
  }
  EXPECT_EQ(pace.look_interval(), 61u);
}

TEST(poll_pace, the_inject_queue_comes_first_after_its_interval) {
  PollPace pace(Instant{});
  int first = 0;
  for (int task = 0; task < 310; ++task) first += pace.is_time_to_inject() ? 1 : 0;
  EXPECT_EQ(first, 10);
}
