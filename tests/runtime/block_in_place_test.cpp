// block_in_place(): what goes on while a worker's thread blocks.
#include "each_runtime.hpp"

#include "pings.hpp"

#include <atomic>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace skua::tests {
namespace {

using namespace std::chrono_literals;

class in_place : public EachRuntime {};
INSTANTIATE_TEST_SUITE_P(each, in_place, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

Task<> opens(std::latch& latch) {
  co_await sleep(1ms);
  latch.count_down();
}

// With one worker this is its only thread.
Task<int> waits_for_other_tasks(int rounds) {
  for (int i = 0; i < rounds; ++i) {
    const auto here = std::this_thread::get_id();
    std::latch latch(2);
    spawn(opens(latch)).detach();
    auto blocks = [&] {
      latch.wait();
      return std::this_thread::get_id() == here;
    };
    auto second = spawn(opens(latch));
    if (!block_in_place(blocks)) co_return -1;
    // The rest of this poll has no worker.
    auto later = [&latch]() -> Task<bool> { co_return latch.try_wait(); };
    if (!(co_await spawn(later())).value()) co_return -2;
    std::ignore = co_await second;
  }
  co_return rounds;
}

TEST_P(in_place, tasks_that_the_function_waits_for_go_on) { EXPECT_EQ(run(waits_for_other_tasks(5)), 5); }

void blocks_at_times(int round) {
  auto brief = [] { std::this_thread::sleep_for(200us); };
  if (round % 5 == 0) block_in_place(brief);
}

// Descriptors and timers go with the worker from thread to thread.
TEST_P(in_place, sockets_and_timers_between_and_meanwhile) {
  std::vector<JoinHandle<Result<int>>> handles;
  for (int i = 0; i < 4; ++i) handles.push_back(runtime_->spawn(pings(scaled(100, 30), blocks_at_times)));
  for (auto& handle : handles) {
    const auto joined = await_within(handle, 60s);
    ASSERT_TRUE(joined);
    EXPECT_EQ(joined->value().value(), scaled(100, 30));
  }
}

Task<int> nested(int depth) {
  if (depth == 0) co_return 0;
  JoinHandle<int> inner = spawn(nested(depth - 1));
  auto waits = [&] {
    while (!inner.is_finished()) std::this_thread::sleep_for(50us);
  };
  block_in_place(waits);
  block_in_place(waits);  // the second time there is no worker to lend
  co_return (co_await inner).value() + 1;
}

// Each substitute lends the worker on.
TEST_P(in_place, on_substitutes_too) { EXPECT_EQ(run(nested(6)), 6); }

TEST_P(in_place, value_reference_and_exception) {
  auto body = []() -> Task<bool> {
    int here = 1;
    auto reference = [&]() -> int& { return here; };
    int& same = block_in_place(reference);
    auto moved = [] { return std::make_unique<int>(7); };
    const auto owned = block_in_place(moved);
    auto throws = []() -> int { throw std::runtime_error("here"); };
    bool thrown = false;
    try {
      std::ignore = block_in_place(throws);
    } catch (const std::runtime_error&) {
      thrown = true;
    }
    co_await yield_now();
    co_return &same == &here && *owned == 7 && thrown;
  };
  EXPECT_TRUE(run(body()));
}

TEST_P(in_place, outside_of_workers_it_only_calls) {
  auto one = [] { return 1; };
  EXPECT_EQ(block_in_place(one), 1);
  auto body = []() -> Task<int> {
    auto two = [] { return 2; };
    co_return block_in_place(two);
  };
  EXPECT_EQ(runtime_->block_on(body()), 2);
}

TEST_P(in_place, shutdown_meanwhile) {
  const std::size_t threads = running_threads();
  std::latch inside(1);
  auto body = [](std::latch& entered) -> Task<> {
    auto blocks = [&] {
      entered.count_down();
      std::this_thread::sleep_for(20ms);
    };
    block_in_place(blocks);
    co_await sleep(1h);
  };
  auto handle = runtime_->spawn(body(inside));
  auto waiting = runtime_->spawn(pings(1'000'000'000, blocks_at_times));
  inside.wait();
  const ShutdownReport report = runtime_->shutdown(30s);
  EXPECT_TRUE(report.is_complete) << report.to_string();
  EXPECT_EQ(report.left, RuntimeCounters()) << report.left.to_string();
  EXPECT_TRUE(handle.is_finished() && waiting.is_finished());
  EXPECT_LT(running_threads(), threads);
}

TEST(in_place_misuse, on_a_current_thread_runtime) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  auto body = []() -> Task<> {
    auto nothing = [] {};
    block_in_place(nothing);
    co_return;
  };
  EXPECT_DEATH(Builder().backend(Backend::epoll).current_thread().build().value().block_on(body()),
               "block_in_place\\(\\) was called on a current-thread runtime.*unblock");
}

}  // namespace
}  // namespace skua::tests
