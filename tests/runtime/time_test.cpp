// Sleeps that are set anew, intervals, limits: what docs/cookbook/time.md promises. (How late a timer is:
// timing_test.cpp.)
#include "each_runtime.hpp"
#include "polled.hpp"

#include <skua/core/budget.hpp>

#include <chrono>
#include <optional>
#include <system_error>
#include <vector>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

using timers = EachRuntime;
INSTANTIATE_TEST_SUITE_P(on, timers, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

// ------------------------------------------------------------------------------------------------------------- Sleep

TEST_P(timers, sleep_is_set_to_a_later_time_while_it_is_pending) {
  const auto body = []() -> Task<> {
    Sleep pause = sleep(2ms);
    EXPECT_FALSE(co_await poll_once(pause));
    const Instant later = now() + 15ms;
    pause.reset(later);
    EXPECT_EQ(pause.deadline(), later);
    co_await pause;
    EXPECT_GE(now(), later);
  };
  run(body());
}

TEST_P(timers, sleep_is_set_to_a_later_and_then_to_an_earlier_time) {
  const auto body = []() -> Task<> {
    Sleep pause = sleep(5ms);
    EXPECT_FALSE(co_await poll_once(pause));
    pause.reset(now() + 1h);
    const Instant earlier = now() + 1ms;
    pause.reset(earlier);
    co_await pause;
    EXPECT_GE(now(), earlier);
  };
  run(body());
}

/// Waits for `pause` in another task than the one that sets it.
Task<> waits_for(Sleep& pause) { co_await pause; }

TEST_P(timers, who_waits_for_a_sleep_is_woken_when_it_is_set_to_an_earlier_time) {
  for (const Duration earlier : {Duration(2ms), Duration(0), Duration(-1h)}) {
    const auto body = [earlier]() -> Task<> {
      Sleep pause = sleep(1h);
      EXPECT_FALSE(co_await poll_once(pause));  // the timer is armed for this task
      pause.reset(now() + earlier);
      co_await yield_now();
      co_await waits_for(pause);
    };
    run(body());
  }
}

TEST_P(timers, sleep_can_be_awaited_again_when_it_was_set_anew) {
  const auto body = []() -> Task<> {
    Sleep pause = sleep(0s);
    for (int i = 0; i < 5; ++i) {
      co_await pause;
      const Instant next = now() + 1ms;
      pause.reset(next);
      co_await pause;
      EXPECT_GE(now(), next);
      pause.reset(Instant::min());
    }
    co_await pause;
  };
  run(body());
}

// As a limit is pushed on with each message: the timer fires at the first deadline, finds that it is not the last, and
// is armed once more.
TEST_P(timers, limit_that_is_pushed_on_does_not_end_before_the_last) {
  const auto body = []() -> Task<> {
    Sleep silence = sleep(4ms);
    Instant last{};
    for (int i = 0; i < 20; ++i) {
      const auto first = co_await select(biased, sleep(1ms), silence);
      if (first.index() == 1) break;  // this machine was not ours for 4 ms
      last = now() + 4ms;
      silence.reset(last);
    }
    co_await silence;
    EXPECT_GE(now(), last);
  };
  run(body());
}

TEST_P(timers, dropped_sleep_leaves_no_timer_whether_it_was_set_anew_or_not) {
  const auto body = []() -> Task<> {
    for (const Duration other : {Duration(1s), Duration(2h), Duration(-1s)}) {
      Sleep pause = sleep(1h);
      EXPECT_FALSE(co_await poll_once(pause));
      pause.reset(now() + other);
    }
    EXPECT_EQ(reactor::Driver::current().armed_timers(), 0u);
  };
  runtime_->block_on(body());
}

TEST_P(timers, the_end_of_the_runtime_ends_a_sleep_that_was_set_anew) {
  std::optional<Sleep> pause(sleep(1h));
  {
    const auto body = [&]() -> Task<> {
      EXPECT_FALSE(co_await poll_once(*pause));
      pause->reset(now() + 2h);
    };
    runtime_->block_on(body());
    runtime_.reset();
  }
  Runtime other = build(GetParam()).value();
  const auto body = [&]() -> Task<> {
    pause->reset(now() + 1ms);  // it is another runtime's now
    co_await *pause;
    pause.reset();
  };
  other.block_on(body());
}

// ---------------------------------------------------------------------------------------------------------- Interval

TEST_P(timers, interval_begins_when_it_is_told) {
  const auto body = []() -> Task<> {
    const Instant first = now() + 5ms;
    Interval every = interval_at(first, 2ms);
    EXPECT_EQ(co_await every.tick(), first);
    EXPECT_GE(now(), first);
    EXPECT_EQ(co_await every.tick(), first + 2ms);
  };
  run(body());
}

TEST_P(timers, interval_reset_puts_the_next_tick_a_period_from_now) {
  const auto body = []() -> Task<> {
    Interval every = interval(10ms);
    co_await every.tick();
    co_await sleep(3ms);
    const Instant before = now();
    every.reset();
    const Instant due = co_await every.tick();
    EXPECT_GE(due, before + 10ms);
    every.reset_at(Instant::min());
    EXPECT_EQ(co_await every.tick(), Instant::min()) << "a tick that is due at once";
  };
  run(body());
}

TEST_P(timers, interval_reset_moves_a_tick_that_is_awaited) {
  const auto body = []() -> Task<> {
    Interval every = interval_at(now() + 1h, 1h);
    auto tick = every.tick();
    EXPECT_FALSE(co_await poll_once(tick));
    const Instant earlier = now() + 1ms;
    every.reset_at(earlier);
    EXPECT_EQ(co_await tick, earlier);
  };
  run(body());
}

TEST_P(timers, a_tick_that_is_dropped_is_not_lost_and_keeps_its_timer) {
  const auto body = []() -> Task<> {
    const Instant first = now() + 1h;
    Interval every = interval_at(first, 1s);
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(co_await poll_once(every.tick()));
    EXPECT_EQ(reactor::Driver::current().armed_timers(), 1u);
    every.reset_at(now() - 1s);
    static_cast<void>(every.tick());
    EXPECT_TRUE(co_await poll_once(every.tick()));
  };
  runtime_->block_on(body());
}

TEST_P(timers, interval_of_which_no_tick_was_awaited_can_be_moved) {
  const auto body = []() -> Task<> {
    Interval every = interval_at(now() + 1h, 1h);
    every.set_missed_ticks(MissedTicks::skip);
    EXPECT_FALSE(co_await poll_once(every.tick()));  // and dropped
    const Instant first = now() - 1s;
    every = interval_at(first, 10s);
    Interval moved(std::move(every));
    EXPECT_EQ(co_await moved.tick(), first);
    EXPECT_EQ(moved.period(), 10s);
  };
  run(body());
}

// The differences of these are more than 292 years.
TEST_P(timers, interval_skips_any_number_of_ticks) {
  const auto body = []() -> Task<> {
    Interval every = interval_at(Instant::min(), 7ms);
    every.set_missed_ticks(MissedTicks::skip);
    EXPECT_EQ(co_await every.tick(), Instant::min());
    const Instant due = co_await every.tick();
    const auto passed = static_cast<std::uint64_t>(due.time_since_epoch().count()) -
                        static_cast<std::uint64_t>(Duration::min().count());
    EXPECT_EQ(passed % static_cast<std::uint64_t>(Duration(7ms).count()), 0u) << "a multiple of the period";
    EXPECT_LE(due, now());
    Interval never = interval(std::chrono::hours::max());
    co_await never.tick();
    EXPECT_FALSE(co_await poll_once(never.tick()));
  };
  run(body());
}

// ----------------------------------------------------------------------------------------------------------- Timeout

/// Ready as soon as the budget allows.
struct Leaf {
  Poll<int> poll(Context& context) {
    ++polls;
    if (!budget::take(context)) return pending;
    return 5;
  }
  int polls = 0;
};

TEST(timeout, what_was_refused_for_the_budget_alone_is_not_late) {
  Leaf leaf;
  Timeout<Leaf&> limited = timeout(0s, leaf);
  CountedContext context;
  {
    const budget::Grant none(0);
    EXPECT_TRUE(limited.poll(context).is_pending());
    EXPECT_EQ(context.wakes(), 2);
  }
  const budget::Grant grant(budget::per_poll);
  auto result = limited.poll(context);
  ASSERT_TRUE(result.is_ready());
  EXPECT_EQ(result.value().value(), 5);
}

TEST(timeout, what_uses_up_every_budget_is_late) {
  Leaf leaf;
  Timeout<Leaf&> limited = timeout(0s, leaf);
  CountedContext context;
  const budget::Grant none(0);
  EXPECT_TRUE(limited.poll(context).is_pending());
  auto result = limited.poll(context);
  ASSERT_TRUE(result.is_ready());
  EXPECT_EQ(result.value().error(), std::errc::timed_out);
  EXPECT_EQ(leaf.polls, 2);
}

Task<> holds(Counted, Duration length) { co_await sleep(length); }

TEST_P(timers, a_timeout_that_is_dropped_or_late_drops_what_it_limits) {
  Census census;
  const auto body = [&]() -> Task<> {
    EXPECT_FALSE(co_await poll_once(timeout(1h, holds(Counted(census), 2h))));
    EXPECT_EQ(census.alive(), 0);
    EXPECT_FALSE(co_await timeout(1ms, holds(Counted(census), 2h)));
    EXPECT_EQ(census.alive(), 0);
    EXPECT_EQ(reactor::Driver::current().armed_timers(), 0u);
  };
  runtime_->block_on(body());
}

TEST_P(timers, timeout_at_is_shared_by_futures_one_after_the_other) {
  const auto body = []() -> Task<> {
    const Instant deadline = now() + 4ms;
    int in_time = 0;
    for (;;) {
      const Result<void> result = co_await timeout_at(deadline, sleep(1ms));
      if (!result) break;
      ++in_time;
    }
    EXPECT_GE(now(), deadline);
    EXPECT_LE(in_time, 4);
    EXPECT_FALSE(co_await timeout_at(Instant::min(), sleep(1h)));
    EXPECT_TRUE(co_await timeout_at(Instant::min(), Leaf()));
  };
  run(body());
}

}  // namespace
}  // namespace skua::tests
