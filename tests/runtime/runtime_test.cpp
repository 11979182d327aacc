// Runtimes, tasks and time.
#include "each_runtime.hpp"
#include "environment.hpp"

#include <array>
#include <numeric>
#include <thread>
#include <vector>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

class runtime : public EachRuntime {};
INSTANTIATE_TEST_SUITE_P(on, runtime, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

// --- block_on and spawn ---------------------------------------------------------------------------------------------

Task<int> answer() { co_return 42; }
Task<int> fails() {
  co_await yield_now();
  throw std::runtime_error("out of block_on");
}

TEST_P(runtime, block_on_returns_the_output_and_throws_the_exception) {
  EXPECT_EQ(runtime_->block_on(answer()), 42);
  EXPECT_THROW(runtime_->block_on(fails()), std::runtime_error);
  EXPECT_EQ(runtime_->block_on(answer()), 42);
}

TEST_P(runtime, block_on_on_several_threads_at_once) {
  auto body = []() -> Task<int> {
    for (int i = 0; i < 10; ++i) {
      co_await sleep(1ms);
      EXPECT_EQ(*co_await spawn(answer()), 42);
    }
    co_return 1;
  };
  std::atomic<int> sum{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { sum += runtime_->block_on(body()); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(sum.load(), 4);
}

Task<std::string> joins_text(std::string left, std::unique_ptr<std::string> right, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) {
    co_await yield_now();
    text += left + *right;
  }
  co_return text;
}

TEST_P(runtime, spawn_takes_a_function_and_its_arguments) {
  auto body = []() -> Task<std::string> {
    auto handle = spawn(&joins_text, "a", std::make_unique<std::string>("b"), 2);
    co_return (co_await handle).value();
  };
  EXPECT_EQ(run(body()), "abab");
}

TEST_P(runtime, spawn_keeps_a_capturing_lambda_alive_and_destroys_it_once) {
  Census census;
  auto body = [](Census& counts) -> Task<int> {
    auto closure = [counted = Counted(counts),
                    text = std::string("captured, and too long for the small buffer")](int times) -> Task<int> {
      for (int i = 0; i < times; ++i) co_await yield_now();
      co_return static_cast<int>(text.size());
    };
    auto handle = spawn(std::move(closure), 5);
    co_return (co_await handle).value();
  };
  EXPECT_EQ(run(body(census)), 43);
  EXPECT_TRUE(eventually([&] { return census.alive() == 0; }));
}

TEST_P(runtime, handle_spawns_from_a_foreign_thread_and_tells_the_options) {
  const Handle handle = runtime_->handle();
  EXPECT_EQ(handle.workers(), GetParam().workers);
  EXPECT_EQ(handle.options().backend.value, GetParam().backend);
  std::atomic<int> sum{0};
  std::thread([&] {
    auto joined = handle.spawn(answer());
    sum = await_within(joined)->value();
  }).join();
  EXPECT_EQ(sum.load(), 42);
  EXPECT_FALSE(Handle::has_current());
  EXPECT_TRUE(runtime_->block_on([]() -> Task<bool> { co_return Handle::has_current(); }()));
}

TEST_P(runtime, yield_now_lets_others_run) {
  auto body = []() -> Task<bool> {
    bool ran = false;
    auto other = spawn(
        [](bool& flag) -> Task<> {
          flag = true;
          co_return;
        },
        std::ref(ran));
    for (int i = 0; i < 1'000'000 && !other.is_finished(); ++i) co_await yield_now();
    co_return ran;
  };
  EXPECT_TRUE(run(body()));
}

// --- Misuse ---------------------------------------------------------------------------------------------------------

class misuse_death_test : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(misuse_death_test, block_on_inside_of_block_on) {
  EXPECT_DEATH(
      {
        Runtime runtime;
        auto body = [&]() -> Task<> {
          runtime.block_on(answer());
          co_return;
        };
        runtime.block_on(body());
      },
      "block_on\\(\\) was called inside of block_on\\(\\).*co_await");
}
TEST_F(misuse_death_test, block_on_on_a_worker) {
  EXPECT_DEATH(
      {
        Runtime runtime;
        auto body = [&]() -> Task<> {
          runtime.block_on(answer());
          co_return;
        };
        runtime.block_on(runtime.spawn(body())).value();
      },
      "block_on\\(\\) was called on a worker thread.*co_await");
}
TEST_F(misuse_death_test, spawn_outside_of_a_runtime) {
  EXPECT_DEATH(spawn(answer()).detach(), "there is no runtime on this thread.*Handle");
}
TEST_F(misuse_death_test, sleep_outside_of_a_runtime) {
  EXPECT_DEATH(
      {
        auto future = sleep(1h);
        CountedContext context;
        static_cast<void>(future.poll(context));
      },
      "there is no runtime on this thread");
}
TEST_F(misuse_death_test, interval_of_no_length) { EXPECT_DEATH(static_cast<void>(interval(0s)), "not positive"); }

// --- Time -----------------------------------------------------------------------------------------------------------

TEST_P(runtime, sleep_is_never_early) {
  auto body = []() -> Task<int> {
    int early = 0;
    for (const Duration length : {Duration(1ns), Duration(50us), Duration(1ms), Duration(7ms), Duration(20ms)}) {
      const Instant begin = now();
      co_await sleep(length);
      if (now() < begin + length) ++early;
    }
    co_return early;
  };
  EXPECT_EQ(run(body()), 0);
  EXPECT_EQ(runtime_->block_on(body()), 0);
}

TEST_P(runtime, sleep_of_nothing_or_less_is_ready_at_once) {
  auto body = []() -> Task<> {
    co_await sleep(0s);
    co_await sleep(-5s);
    co_await sleep(std::chrono::hours::min());
    co_await sleep_until(Instant::min());
  };
  run(body());
}

TEST_P(runtime, ten_thousand_sleeps_of_one_instant_all_end) {
  auto sleeper = [](Instant until, std::atomic<int>& ended) -> Task<> {
    co_await sleep_until(until);
    if (now() >= until) ended.fetch_add(1);
  };
  std::atomic<int> ended{0};
  const Instant until = now() + 100ms;
  for (int i = 0; i < 10'000; ++i) runtime_->spawn(sleeper(until, ended)).detach();
  EXPECT_TRUE(eventually([&] { return ended.load() == 10'000; }));
}

TEST_P(runtime, sleep_of_centuries_can_be_cancelled) {
  auto body = []() -> Task<std::size_t> {
    auto first =
        co_await select(sleep(std::chrono::hours::max()), sleep(2ms), sleep(std::chrono::hours(24 * 365 * 1000)));
    co_return first.index();
  };
  EXPECT_EQ(run(body()), 1u);
  auto handle = runtime_->spawn([]() -> Task<> { co_await sleep(Duration::max()); }());
  handle.abort();
  EXPECT_TRUE(await_within(handle)->error().is_cancelled());
}

Task<Result<int>> slow(Duration length, Result<int> result) {
  co_await sleep(length);
  co_return result;
}
Task<> slow_nothing(Duration length) { co_await sleep(length); }

TEST_P(runtime, timeout_in_time_and_late) {
  auto body = []() -> Task<> {
    // A Result stays one level deep.
    Result<int> in_time = co_await timeout(20s, slow(1ms, 5));
    EXPECT_EQ(in_time.value(), 5);
    Result<int> failed = co_await timeout(20s, slow(1ms, Error(std::errc::io_error)));
    EXPECT_EQ(failed.error(), std::errc::io_error);
    Result<int> late = co_await timeout(2ms, slow(1h, 5));
    EXPECT_EQ(late.error(), std::errc::timed_out);
    Result<void> nothing = co_await timeout(20s, slow_nothing(1ms));
    EXPECT_TRUE(nothing);
    Result<void> nothing_late = co_await timeout(2ms, slow_nothing(1h));
    EXPECT_EQ(nothing_late.error(), std::errc::timed_out);
    Result<int> ready = co_await timeout(0s, answer());
    EXPECT_EQ(ready.value(), 42) << "what is ready is not late";
  };
  run(body());
  runtime_->block_on(body());
}

TEST_P(runtime, timed_out_borrowed_future_can_be_awaited_again) {
  auto body = []() -> Task<int> {
    auto task = slow(20ms, 8);
    const Result<int> late = co_await timeout(1ms, task);
    EXPECT_EQ(late.error(), std::errc::timed_out);
    co_return (co_await task).value();
  };
  EXPECT_EQ(run(body()), 8);
}

TEST_P(runtime, interval_ticks_at_once_and_then_every_period) {
  auto body = []() -> Task<> {
    const Instant begin = now();
    Interval every = interval(3ms);
    const Instant first = co_await every.tick();
    for (int i = 1; i <= 5; ++i) {
      const Instant due = co_await every.tick();
      EXPECT_EQ(due, first + i * 3ms);
      EXPECT_GE(now(), due);
    }
    EXPECT_GE(now(), begin + 15ms);
  };
  run(body());
}

TEST_P(runtime, interval_makes_up_for_missed_ticks_as_it_is_told) {
  auto body = []() -> Task<> {
    for (const auto behaviour : {MissedTicks::burst, MissedTicks::delay, MissedTicks::skip}) {
      // 10 periods and a half have been missed when the first tick is awaited.
      const Duration period = 1s;
      const Instant first = now() - 10500ms;
      Interval every(first, period);
      every.set_missed_ticks(behaviour);
      const Instant before = now();
      EXPECT_EQ(co_await every.tick(), first);
      if (behaviour == MissedTicks::burst) {
        for (int i = 1; i <= 10; ++i) EXPECT_EQ(co_await every.tick(), first + i * period);
      } else {
        const auto next = co_await select(every.tick(), sleep(behaviour == MissedTicks::skip ? 20s : 5ms));
        if (behaviour == MissedTicks::skip) {
          EXPECT_EQ(next.index(), 0u);
          EXPECT_TRUE(next.index() == 0 && std::get<0>(next) == first + 11 * period);
        } else {
          EXPECT_EQ(next.index(), 1u) << "the next tick is a whole period away";
          EXPECT_GE(now(), before);
        }
      }
    }
  };
  run(body());
}

// --- select and join ------------------------------------------------------------------------------------------------

TEST_P(runtime, select_is_fair_among_those_that_are_ready) {
  auto body = []() -> Task<std::array<int, 3>> {
    std::array<int, 3> chosen{};
    for (int i = 0; i < 3000; ++i) {
      const auto first = co_await select(ReadyWith<int>(0), ReadyWith<int>(1), ReadyWith<int>(2));
      ++chosen[first.index()];
    }
    co_return chosen;
  };
  for (const int count : run(body())) EXPECT_GT(count, 700);  // 1000 expected, standard deviation 26
}

Task<> holds_until(Counted, Duration length) { co_await sleep(length); }

TEST_P(runtime, select_cancels_those_that_lose) {
  auto body = [](Census& census) -> Task<> {
    for (int i = 0; i < 20; ++i) {
      const auto first =
          co_await select(holds_until(Counted(census), 1h), sleep(100us), holds_until(Counted(census), 2h));
      EXPECT_EQ(first.index(), 1u);
      EXPECT_EQ(census.alive(), 0);
    }
  };
  Census census;
  run(body(census));
  EXPECT_EQ(census.made.load(), census.destroyed.load());
}

TEST_P(runtime, select_only_borrows_an_lvalue) {
  auto body = []() -> Task<int> {
    auto task = slow(10ms, 6);
    auto handle = spawn(answer());
    int rounds = 0;
    for (;;) {
      auto first = co_await select(task, sleep(1ms));
      if (first.index() == 0) break;
      ++rounds;
      if (rounds == 3) co_return (co_await task).value() + (co_await handle).value();
    }
    co_return 48;
  };
  EXPECT_EQ(run(body()), 48);
}

TEST_P(runtime, join_waits_for_all) {
  auto body = []() -> Task<> {
    auto [number, result, nothing] = co_await join(answer(), slow(3ms, 2), sleep(1ms));
    EXPECT_EQ(number, 42);
    EXPECT_EQ(result.value(), 2);
    EXPECT_EQ(nothing, std::monostate());
  };
  run(body());
}

TEST_P(runtime, join_passes_an_exception_and_cancels_the_rest) {
  auto body = [](Census& census) -> Task<> {
    bool thrown = false;
    try {
      co_await join(holds_until(Counted(census), 1h), fails());
    } catch (const std::runtime_error&) {
      thrown = true;
    }
    EXPECT_TRUE(thrown);
    EXPECT_EQ(census.alive(), 0);
  };
  Census census;
  run(body(census));
}

// --- The life of runtimes -------------------------------------------------------------------------------------------

TEST(builder, values_out_of_range_in_code_are_named) {
  const ScopedVariable submissions("SKUA_IO_URING_SUBMISSION_ENTRIES", nullptr);
  const ScopedVariable completions("SKUA_IO_URING_COMPLETION_ENTRIES", nullptr);
  const auto fault_of = [](const Builder& builder) {
    const auto runtime = builder.build();
    return runtime ? "" : runtime.error().message();
  };
  EXPECT_EQ(fault_of(Builder().workers(2000)),
            "option workers = \"2000\" (from code): expected auto or a number from 1 to 1024");
  EXPECT_EQ(fault_of(Builder().io_uring_entries(1, 4096)),
            "option io_uring.submission_entries = \"1\" (from code): expected a number from 2 to 32768");
  EXPECT_EQ(fault_of(Builder().io_uring_entries(256, 65537)),
            "option io_uring.completion_entries = \"65537\" (from code): expected a number from 4 to 65536");
}

// More submission than completion entries, and none a power of two: the ring is made as large as it must be.
TEST(builder, odd_ring_sizes_are_rounded_up) {
  const ScopedVariable submissions("SKUA_IO_URING_SUBMISSION_ENTRIES", nullptr);
  const ScopedVariable completions("SKUA_IO_URING_COMPLETION_ENTRIES", nullptr);
  auto runtime = Builder().backend(Backend::io_uring).workers(1).io_uring_entries(300, 5).build();
  if (!runtime) GTEST_SKIP() << "io_uring is refused here: " << runtime.error().message();
  EXPECT_EQ(runtime->block_on(ReadyWith<int>(7)), 7);
}

TEST_P(runtime, made_and_destroyed_many_times_leaves_nothing_behind) {
  runtime_.reset();
  const std::size_t descriptors = open_descriptors();
  const std::size_t threads = running_threads();
  for (int i = 0; i < scaled(500, 100); ++i) {
    Runtime another = build(GetParam()).value();
    ASSERT_EQ(i % 2 == 0 ? another.block_on(answer()) : 42, 42);
    if (i % 3 == 0) another.spawn(slow(1h, 1)).detach();
  }
  EXPECT_EQ(open_descriptors(), descriptors);
  EXPECT_TRUE(eventually([&] { return running_threads() == threads; }));
}

TEST_P(runtime, destroyed_it_ends_tasks_that_sleep) {
  Census census;
  for (int i = 0; i < 1000; ++i) runtime_->spawn(holds_until(Counted(census), 1h)).detach();
  runtime_.reset();
  EXPECT_EQ(census.alive(), 0);
  EXPECT_GE(census.made.load(), 1000);
}

TEST_P(runtime, two_at_once_do_not_mix) {
  Runtime other = build(GetParam()).value();
  auto body = [](Handle there) -> Task<int> {
    int sum = 0;
    for (int i = 0; i < 50; ++i) {
      auto away = there.spawn(slow(100us, 1));
      auto here = spawn(slow(100us, 1));
      sum += (co_await away).value().value() + (co_await here).value().value();
    }
    co_return sum;
  };
  auto left = runtime_->spawn(body(other.handle()));
  auto right = other.spawn(body(runtime_->handle()));
  EXPECT_EQ(await_within(left)->value(), 100);
  EXPECT_EQ(await_within(right)->value(), 100);
}

TEST_P(runtime, spawn_after_it_is_gone_destroys_the_future_and_cancels) {
  Census census;
  const Handle handle = runtime_->handle();
  runtime_.reset();
  auto joined = handle.spawn(holds_until(Counted(census), 1h));
  EXPECT_EQ(census.alive(), 0);
  EXPECT_TRUE(await_within(joined)->error().is_cancelled());
}

}  // namespace
}  // namespace skua::tests
