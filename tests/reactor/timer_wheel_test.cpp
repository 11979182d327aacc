// The timer wheel against a sorted map, and its boundaries; readiness.
#include <skua/core/random.hpp>
#include <skua/reactor/readiness.hpp>
#include <skua/reactor/timer_wheel.hpp>

#include "../support/probe.hpp"
#include "timer_wheel_reference.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

namespace skua::reactor {

using namespace skua::tests;
using namespace skua::reactor::tests;

namespace {

constexpr std::size_t no_limit = ~std::size_t{0};

std::uint64_t seed_of_this_run() {
  if (const char* given = std::getenv("SKUA_TEST_SEED")) return std::strtoull(given, nullptr, 10);
  return seam::random_seed();
}

Duration up_to_two_to_the(seam::Random& random, unsigned bits) {
  const std::uint64_t wide = (std::uint64_t{random.next()} << 32) | random.next();
  return Duration(static_cast<std::int64_t>(wide & ((std::uint64_t{1} << bits) - 1)));
}

TEST(timer_wheel, agrees_with_a_sorted_map_over_all_levels) {
  const std::uint64_t seed = seed_of_this_run();
  SCOPED_TRACE("SKUA_TEST_SEED=" + std::to_string(seed));
  seam::Random random(seed);
  constexpr int operations = scaled(1'000'000, 200'000);
  Wheels wheels(500);
  for (int i = 0; i < operations; ++i) {
    const std::size_t which = random.below(static_cast<std::uint32_t>(wheels.count()));
    const std::uint32_t what = random.below(10);
    if (what < 6) {
      if (wheels.is_armed(which)) wheels.cancel(which);
      // 2^52 ns is the whole wheel: 52 days. Some lie beyond, some in the past, many on round numbers.
      Instant deadline = wheels.now() + up_to_two_to_the(random, random.below(56));
      if (what == 0) deadline = wheels.now() - up_to_two_to_the(random, 30);
      if (what == 1) deadline = due_at(deadline) - (random.below(2) != 0 ? Duration(1) : Duration(0));
      wheels.arm(which, deadline);
    } else if (what < 8) {
      if (wheels.is_armed(which)) wheels.cancel(which);
    } else {
      Instant to = wheels.now() + up_to_two_to_the(random, random.below(48));
      if (what == 9 && wheels.next_deadline()) to = std::max(wheels.now(), *wheels.next_deadline());
      ASSERT_TRUE(wheels.advance(to, 1 + random.below(20))) << "operation " << i;
    }
    ASSERT_TRUE(wheels.next_deadline_is_in_time()) << "operation " << i;
  }
}

TEST(timer_wheel, many_timers_at_the_same_few_instants_agree_with_a_sorted_map) {
  const std::uint64_t seed = seed_of_this_run();
  SCOPED_TRACE("SKUA_TEST_SEED=" + std::to_string(seed));
  seam::Random random(seed);
  for (int round = 0; round < scaled(300, 50); ++round) {
    Wheels wheels(200);
    for (std::size_t i = 0; i < wheels.count(); ++i) {
      const unsigned level = 1 + random.below(TimerWheel::levels - 1);
      const std::int64_t boundary = std::int64_t{1} << (level * TimerWheel::bits_per_level);
      wheels.arm(i, origin + (boundary + static_cast<std::int64_t>(random.below(3)) * random.below(3)) * tick);
    }
    while (wheels.next_deadline()) {
      ASSERT_TRUE(wheels.advance(std::max(wheels.now(), *wheels.next_deadline()), 1 + random.below(10)));
      ASSERT_TRUE(wheels.next_deadline_is_in_time());
    }
  }
}

// --- Boundaries -----------------------------------------------------------------------------------------------------

struct OneTimer {
  ~OneTimer() { wheel.remove(timer.entry); }
  void arm(Instant deadline) { wheel.insert(timer.entry, deadline, Waker(&timer, &timer_waker)); }
  bool fires_at(Instant now) {
    std::vector<Waker> woken;
    wheel.advance(now, woken, no_limit);
    return woken.size() == 1 && timer.entry.has_fired();
  }
  TimerWheel wheel{origin};
  Timer timer;
};

TEST(timer_wheel, is_never_early_and_late_by_less_than_a_tick) {
  for (const std::int64_t ns : {1L, 65'535L, 65'536L, 65'537L, 4'194'303L, 4'194'304L, 4'194'305L, 1'000'000'007L}) {
    OneTimer one;
    const Instant deadline = origin + Duration(ns);
    one.arm(deadline);
    EXPECT_FALSE(one.fires_at(deadline - Duration(1))) << ns;
    EXPECT_TRUE(one.fires_at(deadline + tick - Duration(1))) << ns;
  }
}

TEST(timer_wheel, deadline_of_now_or_in_the_past_fires_at_the_next_tick) {
  for (const Instant deadline : {origin, origin - std::chrono::hours(1), Instant::min(), Instant()}) {
    OneTimer one;
    EXPECT_FALSE(one.fires_at(origin + 100 * tick));  // nothing is armed
    one.arm(deadline);
    ASSERT_TRUE(one.wheel.next_deadline().has_value());
    EXPECT_LE(*one.wheel.next_deadline(), origin + 101 * tick);
    EXPECT_TRUE(one.fires_at(origin + 101 * tick));
  }
}

TEST(timer_wheel, level_boundaries_fire_exactly) {
  for (unsigned level = 1; level < TimerWheel::levels; ++level) {
    const std::int64_t boundary = std::int64_t{1} << (level * TimerWheel::bits_per_level);
    for (const std::int64_t at : {boundary - 1, boundary, boundary + 1}) {
      OneTimer one;
      one.arm(origin + at * tick);
      EXPECT_FALSE(one.fires_at(origin + at * tick - Duration(1))) << level << " " << at;
      EXPECT_TRUE(one.fires_at(origin + at * tick)) << level << " " << at;
    }
  }
}

TEST(timer_wheel, deadlines_around_and_beyond_the_top_level_fire_on_time) {
  using Days = std::chrono::duration<std::int64_t, std::ratio<86400>>;
  for (const int days : {51, 52, 53, 104, 105, 365, 3650}) {
    OneTimer one;
    const Instant deadline = origin + Days(days) + Duration(12345);
    one.arm(deadline);
    int steps = 0;
    Instant now = origin;
    bool fired = false;
    while (!fired && ++steps < 2000) {
      const auto next = one.wheel.next_deadline();
      ASSERT_TRUE(next.has_value());
      ASSERT_GE(*next, now);
      now = std::max(now, *next);
      fired = one.fires_at(now);
    }
    ASSERT_TRUE(fired) << days;
    EXPECT_GE(now, deadline);
    EXPECT_LT(now, deadline + tick);
  }
}

TEST(timer_wheel, the_end_of_time_never_fires_and_can_be_cancelled) {
  OneTimer one;
  one.arm(Instant::max());
  EXPECT_FALSE(one.fires_at(origin + std::chrono::hours(24 * 365 * 100)));
  EXPECT_EQ(one.wheel.size(), 1u);
  ASSERT_TRUE(one.wheel.next_deadline().has_value());
  one.wheel.remove(one.timer.entry);
  EXPECT_EQ(one.wheel.size(), 0u);
  EXPECT_FALSE(one.wheel.next_deadline().has_value());
}

// Some of a slot's timers move down a level when its time comes; if the limit is reached then, the due ones that are
// left must still come before those that have moved.
TEST(timer_wheel, limit_reached_in_the_slot_of_a_level_boundary_delays_nobody) {
  for (unsigned level = 1; level < TimerWheel::levels; ++level) {
    const std::int64_t boundary = std::int64_t{1} << (level * TimerWheel::bits_per_level);
    Wheels wheels(20);
    for (std::size_t i = 0; i < 10; ++i) wheels.arm(i, origin + boundary * tick);
    for (std::size_t i = 10; i < 20; ++i) wheels.arm(i, origin + (boundary + 5) * tick);
    EXPECT_TRUE(wheels.advance(origin + boundary * tick, 3)) << level;
    EXPECT_TRUE(wheels.next_deadline_is_in_time()) << level;
    EXPECT_TRUE(wheels.advance(origin + (boundary + 5) * tick, 3)) << level;
  }
}

TEST(timer_wheel, a_timer_armed_between_two_limited_rounds_fires) {
  TimerWheel wheel(origin);
  std::vector<Timer> timers(12);
  const auto arm = [&](std::size_t i, std::int64_t at) {
    wheel.insert(timers[i].entry, origin + at * tick, Waker(&timers[i], &timer_waker));
  };
  for (std::size_t i = 0; i < 10; ++i) arm(i, 64);
  std::vector<Waker> woken;
  EXPECT_TRUE(wheel.advance(origin + 64 * tick, woken, 4));
  arm(10, 64);
  arm(11, 66);
  EXPECT_FALSE(wheel.advance(origin + 66 * tick, woken, no_limit));
  EXPECT_EQ(woken.size(), 12u);
  EXPECT_EQ(wheel.size(), 0u);
}

TEST(timer_wheel, fire_all_fires_due_or_not) {
  TimerWheel wheel(origin);
  std::vector<Timer> timers(5);
  const std::int64_t hours[] = {-1, 0, 1, 100, 100'000};
  for (std::size_t i = 0; i < 5; ++i) {
    wheel.insert(timers[i].entry, origin + std::chrono::hours(hours[i]), Waker(&timers[i], &timer_waker));
  }
  std::vector<Waker> woken;
  wheel.fire_all(woken);
  EXPECT_EQ(woken.size(), 5u);
  EXPECT_EQ(wheel.size(), 0u);
  EXPECT_FALSE(wheel.next_deadline().has_value());
  for (const Timer& timer : timers) EXPECT_TRUE(timer.entry.has_fired());
}

TEST(timer_wheel, an_entry_that_has_fired_can_be_armed_again) {
  OneTimer one;
  for (int i = 1; i < 1000; ++i) {
    one.arm(origin + i * Duration(777'777));
    EXPECT_TRUE(one.fires_at(origin + i * Duration(777'777) + tick));
  }
}

// --- Readiness ------------------------------------------------------------------------------------------------------

TEST(readiness, is_ready_at_first) { EXPECT_TRUE(Readiness::is_ready(Readiness().snapshot())); }

TEST(readiness, clear_after_an_event_loses_nothing) {
  for (unsigned power = 0; power < scaled(21u, 17u); ++power) {  // 2^16 is where a narrow count would have wrapped
    Readiness readiness;
    readiness.clear(readiness.snapshot());
    ASSERT_FALSE(Readiness::is_ready(readiness.snapshot()));
    readiness.note_event(false);
    const auto stale = readiness.snapshot();
    for (std::uint64_t i = 0; i < std::uint64_t{1} << power; ++i) readiness.note_event(false);
    readiness.clear(stale);
    ASSERT_TRUE(Readiness::is_ready(readiness.snapshot())) << "2^" << power;
    readiness.clear(readiness.snapshot());
    ASSERT_FALSE(Readiness::is_ready(readiness.snapshot()));
  }
}

TEST(readiness, a_closed_direction_stays_ready) {
  Readiness readiness;
  readiness.note_event(true);
  readiness.clear(readiness.snapshot());
  EXPECT_TRUE(Readiness::is_ready(readiness.snapshot()));
  readiness.note_event(false);
  EXPECT_TRUE(Readiness::is_closed(readiness.snapshot()));
}

TEST(readiness, a_direction_that_would_block_has_not_ended_or_not_any_more) {
  Readiness readiness;
  readiness.note_event(true);
  const auto stale = readiness.snapshot();
  readiness.note_event(false);
  readiness.would_block(stale);
  EXPECT_TRUE(Readiness::is_closed(readiness.snapshot())) << "an event came since";
  readiness.would_block(readiness.snapshot());
  EXPECT_FALSE(Readiness::is_ready(readiness.snapshot()));
  EXPECT_FALSE(Readiness::is_closed(readiness.snapshot()));
}

TEST(readiness, after_the_shutdown_a_direction_is_ready_for_ever) {
  Readiness readiness;
  EXPECT_FALSE(Readiness::is_shut_down(readiness.snapshot()));
  readiness.note_shutdown();
  readiness.would_block(readiness.snapshot());
  readiness.clear(readiness.snapshot());
  EXPECT_TRUE(Readiness::is_shut_down(readiness.snapshot()));
  EXPECT_TRUE(Readiness::is_ready(readiness.snapshot()));
}

TEST(readiness, one_thread_clears_while_another_notes_events) {
  Readiness readiness;
  constexpr int events = scaled(200'000, 50'000);
  std::atomic<int> noted{0};
  std::thread kernel([&] {
    for (int i = 0; i < events; ++i) {
      noted.store(i + 1);
      readiness.note_event(false);
    }
  });
  // What was noted before the last look at a word that is not ready has been seen by an earlier look.
  int seen = 0;
  while (seen != events) {
    const auto snapshot = readiness.snapshot();
    if (!Readiness::is_ready(snapshot)) {
      std::this_thread::yield();
      continue;
    }
    seen = noted.load();
    readiness.clear(snapshot);
  }
  kernel.join();
  EXPECT_EQ(seen, events);
}

}  // namespace
}  // namespace skua::reactor
