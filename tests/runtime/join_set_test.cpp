// JoinSet, JoinMap, TaskTracker, AbortOnDrop: who waits for tasks, and what a drop of each does.
#include <skua/skua.hpp>

#include "../support/probe.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace skua::tests {

namespace {

using namespace std::chrono_literals;

Task<int> value_after(Gate& gate, int value) {
  co_await gate.wait();
  co_return value;
}

Task<int> hold(Gate& gate, Counted, int value) {
  co_await gate.wait();
  co_return value;
}

Task<int> fails() {
  co_await yield_now();
  throw std::runtime_error("no");
}

Task<void> nothing_after(Gate& gate, Counted) { co_await gate.wait(); }

class JoinSetTest : public testing::Test {
 protected:
  template <Future F>
  JoinHandle<Output<F>> spawn(F future) {
    return runtime.spawn(std::move(future));
  }
  /// Polls `future` once by hand.
  template <class F>
  auto poll(F& future) {
    return future.poll(context);
  }
  /// Runs `future` on this thread.
  template <class F>
  Unit<Output<F>> await(F future) {
    auto result = await_within(future);
    if (!result) throw std::runtime_error("it does not end");
    return *std::move(result);
  }

  Runtime runtime = Builder().workers(2).build().value();
  CountedContext context;
};

// ------------------------------------------------------------------------------------------------------- JoinSet

TEST_F(JoinSetTest, yields_outputs_in_the_order_in_which_tasks_end) {
  Gate gates[5];
  JoinSet<int> set;
  for (int i = 0; i < 5; ++i) set.insert(spawn(value_after(gates[i], i)));
  EXPECT_EQ(set.len(), 5u);
  std::vector<int> order;
  for (const int i : {3, 0, 4, 1, 2}) {
    gates[i].open();
    auto next = await(set.join_next());
    order.push_back(std::move(*next).value());
  }
  EXPECT_EQ(order, (std::vector<int>{3, 0, 4, 1, 2}));
  EXPECT_TRUE(set.is_empty());
  EXPECT_FALSE(await(set.join_next())) << "an empty set is ready with nothing";
}

TEST_F(JoinSetTest, order_is_that_of_the_ends_also_if_nobody_asked_meanwhile) {
  // One worker: it has told the joiner of one task's end before it polls the next.
  Runtime one = Builder().workers(1).build().value();
  Gate gates[4];
  JoinSet<int> set;
  std::vector<AbortHandle> handles;
  for (int i = 0; i < 4; ++i) handles.push_back(set.insert(one.spawn(value_after(gates[i], i))));
  for (const int i : {2, 3, 1, 0}) {
    gates[i].open();
    ASSERT_TRUE(eventually([&] { return handles[static_cast<std::size_t>(i)].is_finished(); }));
  }
  for (const int expected : {2, 3, 1, 0}) EXPECT_EQ(await(set.join_next())->value(), expected);
}

TEST_F(JoinSetTest, a_dropped_join_next_loses_nothing) {
  Gate gate;
  JoinSet<int> set;
  set.insert(spawn(value_after(gate, 7)));
  {
    auto next = set.join_next();
    EXPECT_TRUE(poll(next).is_pending());
  }
  gate.open();
  ASSERT_TRUE(eventually([&] { return context.wakes() == 1; })) << "the waker of the last poll is woken";
  EXPECT_EQ(set.len(), 1u);
  EXPECT_EQ(await(set.join_next())->value(), 7);
}

TEST_F(JoinSetTest, a_join_next_out_of_budget_loses_nothing) {
  Gate gate;
  gate.open();
  JoinSet<int> set;
  const AbortHandle task = set.insert(spawn(value_after(gate, 7)));
  ASSERT_TRUE(eventually([&] { return task.is_finished(); }));
  auto next = set.join_next();
  {
    const budget::Grant grant(0);
    EXPECT_TRUE(poll(next).is_pending());
    EXPECT_EQ(context.wakes(), 1) << "it is polled again";
  }
  EXPECT_EQ(await(std::move(next))->value(), 7);
}

TEST_F(JoinSetTest, try_join_next_takes_what_is_there) {
  Gate gate;
  JoinSet<int> set;
  const AbortHandle task = set.insert(spawn(value_after(gate, 7)));
  EXPECT_FALSE(set.try_join_next());
  gate.open();
  std::optional<JoinResult<int>> result;
  ASSERT_TRUE(eventually([&] { return (result = set.try_join_next()).has_value(); }));
  EXPECT_EQ(result->value(), 7);
  EXPECT_TRUE(set.is_empty());
}

TEST_F(JoinSetTest, exceptions_and_aborts_have_their_turn) {
  Gate gate;
  JoinSet<int> set;
  const AbortHandle aborted = set.insert(spawn(value_after(gate, 1)));
  const AbortHandle failed = set.insert(spawn(fails()));
  auto first = await(set.join_next_with_id());
  EXPECT_EQ(first->first, failed.id());
  EXPECT_THROW(first->second.value(), std::runtime_error);
  aborted.abort();
  auto second = await(set.join_next_with_id());
  EXPECT_EQ(second->first, aborted.id());
  EXPECT_TRUE(second->second.error().is_cancelled());
}

TEST_F(JoinSetTest, dropping_the_set_aborts_all) {
  Gate gate;
  Census census;
  {
    JoinSet<int> set;
    for (int i = 0; i < 50; ++i) set.insert(spawn(hold(gate, Counted(census), i)));
  }
  EXPECT_TRUE(eventually([&] { return census.alive() == 0; }));
  EXPECT_TRUE(eventually([&] { return runtime.handle().alive_tasks() == 0; }));
}

TEST_F(JoinSetTest, assigning_to_the_set_aborts_what_was_in_it) {
  Gate gate;
  Census census;
  JoinSet<int> set;
  set.insert(spawn(hold(gate, Counted(census), 1)));
  JoinSet<int> other;
  other.insert(spawn(value_after(gate, 2)));
  set = std::move(other);
  EXPECT_TRUE(eventually([&] { return census.alive() == 0; }));
  gate.open();
  EXPECT_EQ(await(set.join_next())->value(), 2);
}

TEST_F(JoinSetTest, shutdown_waits_until_all_have_ended) {
  Gate gate;
  Census census;
  JoinSet<int> set;
  for (int i = 0; i < 50; ++i) set.insert(spawn(hold(gate, Counted(census), i)));
  await(set.shutdown());
  EXPECT_EQ(census.alive(), 0) << "futures are destroyed before the join";
  EXPECT_TRUE(set.is_empty());
}

TEST_F(JoinSetTest, detach_all_lets_them_run_on) {
  Gate gate;
  Census census;
  auto set = std::make_unique<JoinSet<int>>();
  for (int i = 0; i < 10; ++i) set->insert(spawn(hold(gate, Counted(census), i)));
  set->detach_all();
  EXPECT_TRUE(set->is_empty());
  set.reset();
  EXPECT_EQ(runtime.handle().alive_tasks(), 10u);
  gate.open();
  EXPECT_TRUE(eventually([&] { return runtime.handle().alive_tasks() == 0 && census.alive() == 0; }));
}

TEST_F(JoinSetTest, a_waker_outlives_the_set) {
  // The task's end wakes an entry whose set is gone.
  Gate gate;
  for (int i = 0; i < 200; ++i) {
    JoinSet<int> set;
    set.insert(spawn(value_after(gate, i)));
    set.detach_all();
    gate.open();
    gate.close();
  }
  gate.open();
  EXPECT_TRUE(eventually([&] { return runtime.handle().alive_tasks() == 0; }));
}

TEST_F(JoinSetTest, thousands_of_tasks_from_within_tasks) {
  constexpr int tasks = scaled(20000, 2000);
  auto body = []() -> Task<long> {
    JoinSet<int> set;
    auto number = [](int i) -> Task<int> {
      if (i % 3 == 0) co_await yield_now();
      co_return i;
    };
    long sum = 0;
    for (int i = 0; i < tasks; ++i) {
      set.spawn(number, i);
      if (i % 2 == 0) continue;
      auto next = co_await set.join_next();
      sum += next->value();
    }
    while (auto next = co_await set.join_next()) sum += next->value();
    co_return sum;
  };
  EXPECT_EQ(runtime.block_on(spawn(body())).value(), long{tasks} * (tasks - 1) / 2);
}

TEST(wake_set, forgets_who_waits_when_it_is_dropped) {
  const auto counter = std::make_shared<WakeCounter>();
  std::optional<WakeSet<int>> set(std::in_place);
  const Waker of_entry = set->insert(1).waker();
  EXPECT_EQ(set->pop_woken(make_waker(counter)), nullptr);
  EXPECT_EQ(counter.use_count(), 2);
  set.reset();
  EXPECT_EQ(counter.use_count(), 1) << "though the entry's waker lives";
  of_entry.wake_by_ref();
}

// ------------------------------------------------------------------------------------------------------- JoinMap

TEST_F(JoinSetTest, map_yields_keys_with_outputs) {
  Gate a, b;
  JoinMap<std::string, int> map;
  map.insert("a", spawn(value_after(a, 1)));
  map.insert("b", spawn(value_after(b, 2)));
  EXPECT_TRUE(map.contains("a"));
  EXPECT_FALSE(map.contains("c"));
  b.open();
  auto first = await(map.join_next());
  EXPECT_EQ(first->first, "b");
  EXPECT_EQ(first->second.value(), 2);
  EXPECT_FALSE(map.contains("b"));
  a.open();
  EXPECT_EQ(await(map.join_next())->first, "a");
  EXPECT_FALSE(await(map.join_next()));
}

TEST_F(JoinSetTest, map_replaces_and_aborts_the_task_of_a_key) {
  Gate gate;
  Census census;
  JoinMap<int, int> map;
  map.insert(7, spawn(hold(gate, Counted(census), 1)));
  map.insert(7, spawn(value_after(gate, 2)));
  EXPECT_TRUE(eventually([&] { return census.alive() == 0; }));
  EXPECT_EQ(map.len(), 1u);
  gate.open();
  EXPECT_EQ(await(map.join_next())->second.value(), 2);
  EXPECT_TRUE(map.is_empty());
}

TEST_F(JoinSetTest, map_aborts_and_removes_by_key) {
  Gate gate;
  JoinMap<int, int> map;
  map.insert(1, spawn(value_after(gate, 1)));
  map.insert(2, spawn(value_after(gate, 2)));
  EXPECT_TRUE(map.abort(1));
  EXPECT_FALSE(map.abort(3));
  auto aborted = await(map.join_next());
  EXPECT_EQ(aborted->first, 1);
  EXPECT_TRUE(aborted->second.error().is_cancelled());
  auto removed = map.remove(2);
  ASSERT_TRUE(removed);
  EXPECT_FALSE(map.remove(2));
  gate.open();
  EXPECT_EQ(await(*std::move(removed)).value(), 2) << "what is removed is not aborted";
}

TEST_F(JoinSetTest, a_dropped_map_aborts_all_and_a_dropped_join_next_loses_nothing) {
  Gate gate, other;
  Census census;
  {
    JoinMap<int, int> map;
    map.insert(1, spawn(value_after(gate, 1)));
    map.insert(2, spawn(hold(other, Counted(census), 2)));
    {
      auto next = map.join_next();
      EXPECT_TRUE(poll(next).is_pending());
    }
    gate.open();
    EXPECT_EQ(await(map.join_next())->second.value(), 1);
  }
  EXPECT_TRUE(eventually([&] { return census.alive() == 0; }));
}

// --------------------------------------------------------------------------------------------------- TaskTracker

TEST_F(JoinSetTest, tracker_is_ready_when_closed_and_empty) {
  TaskTracker tracker;
  auto wait = tracker.wait();
  EXPECT_TRUE(poll(wait).is_pending()) << "empty, but open";
  std::optional<TaskTracker::Token> token = tracker.token();
  EXPECT_EQ(tracker.len(), 1u);
  EXPECT_TRUE(tracker.close());
  EXPECT_FALSE(tracker.close());
  EXPECT_EQ(context.wakes(), 0);
  EXPECT_TRUE(poll(wait).is_pending());
  token.reset();
  EXPECT_EQ(context.wakes(), 1);
  EXPECT_TRUE(tracker.reopen());
  EXPECT_TRUE(poll(wait).is_ready()) << "it was closed and empty";
  auto late = tracker.wait();
  EXPECT_TRUE(poll(late).is_pending());
  tracker.close();
  EXPECT_EQ(context.wakes(), 2);
  EXPECT_TRUE(poll(late).is_ready());
}

TEST_F(JoinSetTest, tracker_wait_that_is_dropped_is_forgotten) {
  const TaskTracker tracker;
  auto kept = tracker.wait();
  CountedContext other;
  {
    auto dropped = tracker.wait();
    EXPECT_TRUE(dropped.poll(other).is_pending());
  }
  EXPECT_TRUE(poll(kept).is_pending());
  tracker.close();
  EXPECT_EQ(other.wakes(), 0);
  EXPECT_EQ(context.wakes(), 1);
}

TEST_F(JoinSetTest, tracker_waits_for_the_destruction_of_futures) {
  Gate gate;
  Census census;
  const TaskTracker tracker;
  auto body = [&]() -> Task<> {
    for (int i = 0; i < 100; ++i) tracker.spawn(nothing_after(gate, Counted(census))).detach();
    tracker.close();
    EXPECT_EQ(tracker.len(), 100u);
    gate.open();
    co_await tracker.wait();
    EXPECT_EQ(census.alive(), 0);
  };
  runtime.block_on(body());
}

TEST_F(JoinSetTest, tracker_counts_aborted_tasks_until_they_are_gone) {
  Gate gate;
  Census census;
  const TaskTracker tracker;
  std::vector<AbortHandle> handles;
  for (int i = 0; i < 20; ++i) {
    handles.push_back(spawn(tracker.track(nothing_after(gate, Counted(census)))).abort_handle());
  }
  tracker.close();
  for (const AbortHandle& handle : handles) handle.abort();
  await(tracker.wait());
  EXPECT_EQ(census.alive(), 0);
}

// --------------------------------------------------------------------------------------------------- AbortOnDrop

TEST_F(JoinSetTest, abort_on_drop_aborts_and_detach_does_not) {
  Gate gate;
  Census census;
  {
    const AbortOnDrop task(spawn(hold(gate, Counted(census), 1)));
    EXPECT_FALSE(task.is_finished());
  }
  EXPECT_TRUE(eventually([&] { return census.alive() == 0; }));
  JoinHandle<int> kept = AbortOnDrop(spawn(value_after(gate, 2))).detach();
  gate.open();
  EXPECT_EQ(await(std::move(kept)).value(), 2);
}

TEST_F(JoinSetTest, abort_on_drop_joins_as_a_handle_does) {
  Gate gate;
  AbortOnDrop task(spawn(value_after(gate, 2)));
  {
    auto borrowed = timeout(1h, task);
    static_cast<void>(borrowed);
  }
  EXPECT_TRUE(poll(task).is_pending());
  gate.open();
  EXPECT_EQ(await(std::move(task)).value(), 2);
}

TEST_F(JoinSetTest, an_assigned_abort_on_drop_aborts_what_it_held) {
  Gate gate;
  Census census;
  AbortOnDrop task(spawn(hold(gate, Counted(census), 1)));
  task = AbortOnDrop(spawn(value_after(gate, 2)));
  EXPECT_TRUE(eventually([&] { return census.alive() == 0; }));
  gate.open();
  EXPECT_EQ(await(std::move(task)).value(), 2);
}

TEST_F(JoinSetTest, abort_handles_outlive_task_and_join_handle) {
  Gate gate;
  std::optional<AbortHandle> handle;
  {
    JoinHandle<int> task = spawn(value_after(gate, 1));
    handle = task.abort_handle();
    EXPECT_EQ(handle->id(), task.id());
  }
  EXPECT_FALSE(handle->is_finished());
  const AbortHandle copy = *handle;
  copy.abort();
  EXPECT_TRUE(eventually([&] { return handle->is_finished(); }));
  copy.abort();
}

}  // namespace
}  // namespace skua::tests
