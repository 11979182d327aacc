// LocalSet: many tasks on one thread.
#include <skua/skua.hpp>

#include "../support/probe.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace skua::tests {

namespace {

using namespace std::chrono_literals;

class LocalSetTest : public testing::Test {
 protected:
  Runtime runtime = Builder().workers(2).build().value();
};

Task<int> number_after(Gate& gate, int value) {
  co_await gate.wait();
  co_return value;
}

TEST_F(LocalSetTest, tasks_stay_on_the_thread) {
  auto body = []() -> Task<int> {
    const auto here = std::this_thread::get_id();
    int sum = 0;  // no atomic: nobody else is there
    std::vector<LocalJoinHandle<void>> handles;
    for (int i = 0; i < 100; ++i) {
      auto add = [](int value, int& to, std::thread::id thread) -> Task<> {
        for (int round = 0; round < 10; ++round) {
          co_await sleep(std::chrono::microseconds(value * 10));
          EXPECT_EQ(std::this_thread::get_id(), thread);
          // work on the workers, result here
          auto elsewhere = []() -> Task<std::thread::id> { co_return std::this_thread::get_id(); };
          if (round == 5) {
            EXPECT_NE((co_await spawn(elsewhere())).value(), thread);
          }
          ++to;
        }
      };
      handles.push_back(spawn_local(add(i, sum, here)));
    }
    for (auto& handle : handles) (co_await handle).value();
    co_return sum;
  };
  LocalSet local;
  EXPECT_EQ(runtime.block_on(local.run_until(body())), 1000);
  EXPECT_EQ(local.len(), 0u);
}

TEST_F(LocalSetTest, is_ready_when_all_have_ended) {
  LocalSet local;
  Gate gate;
  auto first = local.spawn(number_after(gate, 1));
  auto nested = [](Gate& at) -> Task<int> { co_return 1 + (co_await spawn_local(number_after(at, 2))).value(); };
  auto second = local.spawn(nested(gate));
  CountedContext context;
  EXPECT_TRUE(local.poll(context).is_pending());
  EXPECT_EQ(local.len(), 3u);
  gate.open();
  EXPECT_GE(context.wakes(), 1);
  while (local.poll(context).is_pending()) {
  }
  EXPECT_EQ(first.poll(context).take().value(), 1);
  EXPECT_EQ(second.poll(context).take().value(), 3);
}

TEST_F(LocalSetTest, a_wake_polls_the_task_that_was_woken_alone) {
  LocalSet local;
  Gate one, two;
  std::move(local.spawn(number_after(one, 1))).detach();
  std::move(local.spawn(number_after(two, 2))).detach();
  CountedContext context;
  EXPECT_TRUE(local.poll(context).is_pending());
  one.rattle();
  EXPECT_EQ(context.wakes(), 1);
  EXPECT_TRUE(local.poll(context).is_pending());
  EXPECT_EQ(one.polls(), 2);
  EXPECT_EQ(two.polls(), 1);
}

TEST_F(LocalSetTest, dropping_the_set_destroys_tasks_and_cancels_joins) {
  Census census;
  Gate gate;
  auto hold = [](Gate& at, Counted) -> Task<> { co_await at.wait(); };
  CountedContext context;
  std::optional<LocalSet> local(std::in_place);
  auto handle = local->spawn(hold(gate, Counted(census)));
  std::move(local->spawn(hold(gate, Counted(census)))).detach();
  EXPECT_TRUE(local->poll(context).is_pending());
  EXPECT_TRUE(handle.poll(context).is_pending());
  local.reset();
  EXPECT_EQ(census.alive(), 0);
  EXPECT_EQ(context.wakes(), 1);
  EXPECT_TRUE(handle.poll(context).take().error().is_cancelled());
  gate.open();  // the wakers of the gone tasks do nothing
}

TEST_F(LocalSetTest, abort_destroys_one_task) {
  Census census;
  Gate gate;
  auto hold = [](Gate& at, Counted) -> Task<> { co_await at.wait(); };
  LocalSet local;
  CountedContext context;
  auto handle = local.spawn(hold(gate, Counted(census)));
  EXPECT_TRUE(local.poll(context).is_pending());
  handle.abort();
  EXPECT_TRUE(local.poll(context).is_ready());
  EXPECT_EQ(census.alive(), 0);
  EXPECT_TRUE(handle.poll(context).take().error().is_cancelled());
  handle.abort();
}

TEST_F(LocalSetTest, exceptions_go_to_the_joiner) {
  auto thrower = []() -> Task<int> {
    co_await yield_now();
    throw std::runtime_error("no");
  };
  auto body = [&]() -> Task<> {
    auto result = co_await spawn_local(thrower());
    EXPECT_THROW(result.value(), std::runtime_error);
  };
  LocalSet local;
  runtime.block_on(local.run_until(body()));
}

TEST_F(LocalSetTest, a_task_that_never_waits_does_not_keep_the_others) {
  auto busy = []() -> Task<> {
    for (;;) co_await yield_now();
  };
  auto greedy = []() -> Task<> {
    for (;;) co_await consume_budget();
  };
  LocalSet local;
  std::move(local.spawn(busy())).detach();
  std::move(local.spawn(greedy())).detach();
  auto rest = []() -> Task<> { co_await sleep(5ms); };
  auto other = local.spawn(rest());
  runtime.block_on(local.run_until(rest()));
  EXPECT_TRUE(runtime.block_on(local.run_until(timeout(10s, other))).has_value());
  EXPECT_EQ(local.len(), 2u);
}

TEST_F(LocalSetTest, a_second_thread_ends_the_program) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  LocalSet local;
  CountedContext context;
  EXPECT_TRUE(local.poll(context).is_ready());
  EXPECT_DEATH(std::thread([&] { static_cast<void>(local.poll(context).is_ready()); }).join(), "another thread");
  EXPECT_DEATH(std::move(spawn_local(yield_now())).detach(), "outside of a LocalSet");
}

}  // namespace
}  // namespace skua::tests
