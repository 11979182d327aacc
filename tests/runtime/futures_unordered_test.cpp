// FuturesUnordered, FuturesOrdered, join_all() and try_join_all(): polled by hand, then with wakes from other threads.
#include <skua/skua.hpp>

#include "../support/probe.hpp"
#include "../support/promise.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <utility>
#include <vector>

namespace skua::tests {

namespace {

template <class T>
struct Promises {
  explicit Promises(std::size_t count) : all(count) {}
  std::vector<Promised<T>> futures() const {
    std::vector<Promised<T>> futures;
    for (const auto& promise : all) futures.push_back(promise.future());
    return futures;
  }
  Promise<T>& operator[](std::size_t i) { return all[i]; }
  std::vector<Promise<T>> all;
};

template <class Set, class T>
void push(Set& set, Promises<T>& promises) {
  for (auto& promise : promises.all) set.push(promise.future());
}

Task<int> throws() {
  co_await yield_now();
  throw std::runtime_error("thrown");
}
Task<int> gives(int value) { co_return value; }

Error refused() { return Error(std::errc::connection_refused, "connect"); }

TEST(futures_unordered, polls_those_that_were_woken_and_no_others) {
  Promises<int> promises(1000);
  FuturesUnordered<Promised<int>> set;
  push(set, promises);
  CountedContext context;
  EXPECT_TRUE(set.poll_next(context).is_pending());
  for (const std::size_t i : {700u, 3u, 250u}) promises[i].keep(static_cast<int>(i));
  EXPECT_EQ(context.wakes(), 1) << "the task is woken once until it is polled";
  for (const int expected : {700, 3, 250}) EXPECT_EQ(set.poll_next(context).take(), expected);
  EXPECT_TRUE(set.poll_next(context).is_pending());
  int polls = 0;
  for (auto& promise : promises.all) polls += promise.polls();
  EXPECT_EQ(polls, 1000 + 3);
  EXPECT_EQ(set.size(), 997u);
}

TEST(futures_unordered, ends_when_empty_and_goes_on_when_something_is_pushed) {
  FuturesUnordered<ReadyWith<int>> set;
  CountedContext context;
  EXPECT_EQ(set.poll_next(context).take(), std::nullopt);
  set.push(ReadyWith(1));
  EXPECT_EQ(set.poll_next(context).take(), 1);
  EXPECT_EQ(set.poll_next(context).take(), std::nullopt);
}

TEST(futures_unordered, pushing_wakes_who_waits) {
  Promise<int> never;
  Promise<int> later;
  FuturesUnordered<Promised<int>> set;
  set.push(never.future());
  CountedContext context;
  EXPECT_TRUE(set.poll_next(context).is_pending());
  later.keep(5);
  set.push(later.future());
  EXPECT_EQ(context.wakes(), 1);
  EXPECT_EQ(set.poll_next(context).take(), 5);
}

TEST(futures_unordered, a_child_that_wakes_itself_is_polled_once_a_round) {
  FuturesUnordered<YieldNow> set;
  for (int i = 0; i < 10; ++i) set.push(yield_now());
  CountedContext context;
  EXPECT_TRUE(set.poll_next(context).is_pending());
  EXPECT_EQ(context.wakes(), 1);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(set.poll_next(context).take());
  EXPECT_TRUE(set.is_empty());
}

TEST(futures_unordered, the_waker_of_the_last_poll_is_woken) {
  Promise<int> promise;
  FuturesUnordered<Promised<int>> set;
  set.push(promise.future());
  CountedContext one;
  CountedContext two;
  EXPECT_TRUE(set.poll_next(one).is_pending());
  EXPECT_TRUE(set.poll_next(two).is_pending());
  EXPECT_EQ(promise.polls(), 1) << "it was not woken";
  promise.keep(1);
  EXPECT_EQ(one.wakes(), 0);
  EXPECT_EQ(two.wakes(), 1);
}

TEST(futures_unordered, a_future_that_is_ready_is_destroyed_before_its_output_is_given_out) {
  Promises<int> promises(2);
  FuturesUnordered<Promised<int>> set;
  push(set, promises);
  CountedContext context;
  EXPECT_TRUE(set.poll_next(context).is_pending());
  promises[0].keep(1);
  EXPECT_EQ(set.poll_next(context).take(), 1);
  EXPECT_FALSE(promises[0].is_awaited());
  EXPECT_TRUE(promises[1].is_awaited());
}

TEST(futures_unordered, dropping_it_while_wakers_live_elsewhere) {
  Promises<int> promises(3);
  std::vector<Waker> kept;
  CountedContext context;
  {
    FuturesUnordered<Promised<int>> set;
    push(set, promises);
    EXPECT_TRUE(set.poll_next(context).is_pending());
    for (auto& promise : promises.all) kept.push_back(promise.waker());
    promises[1].wake();  // one of them is woken when the set goes
    EXPECT_EQ(context.wakes(), 1);
  }
  for (auto& promise : promises.all) EXPECT_FALSE(promise.is_awaited());
  for (const Waker& waker : kept) waker.wake_by_ref();
  EXPECT_EQ(context.wakes(), 1) << "wakes of what has gone reach nobody";
}

TEST(futures_unordered, the_wakers_of_its_children_do_not_keep_the_task) {
  const auto counter = std::make_shared<WakeCounter>();
  Promise<int> promise;
  {
    const Waker task = make_waker(counter);
    Context context(task);
    FuturesUnordered<Promised<int>> set;
    set.push(promise.future());
    EXPECT_TRUE(set.poll_next(context).is_pending());
    EXPECT_GT(counter.use_count(), 1);
  }
  ASSERT_TRUE(promise.waker());
  EXPECT_EQ(counter.use_count(), 1);
}

TEST(futures_unordered, dropping_next_loses_no_output) {
  Promises<int> promises(2);
  FuturesUnordered<Promised<int>> set;
  push(set, promises);
  CountedContext context;
  {
    auto dropped = next(set);
    EXPECT_TRUE(dropped.poll(context).is_pending());
    promises[0].keep(1);
    promises[1].keep(2);
  }
  EXPECT_EQ(next(set).poll(context).take(), 1);
  EXPECT_EQ(next(set).poll(context).take(), 2);
}

TEST(futures_unordered, what_a_future_throws_comes_out_and_the_others_stay) {
  FuturesUnordered<Task<int>> set;
  set.push(throws());
  set.push(gives(2));
  CountedContext context;
  EXPECT_EQ(set.poll_next(context).take(), 2);
  EXPECT_THROW(static_cast<void>(set.poll_next(context)), std::runtime_error);
  EXPECT_EQ(set.poll_next(context).take(), std::nullopt);
}

TEST(futures_unordered, may_be_moved_between_polls) {
  Promise<int> promise;
  FuturesUnordered<Promised<int>> set;
  set.push(promise.future());
  CountedContext context;
  EXPECT_TRUE(set.poll_next(context).is_pending());
  FuturesUnordered<Promised<int>> moved = std::move(set);
  promise.keep(1);
  EXPECT_EQ(context.wakes(), 1);
  EXPECT_EQ(moved.poll_next(context).take(), 1);
}

TEST(futures_unordered, outputs_that_are_always_there_give_way) {
  CountedContext context;
  FuturesUnordered<ReadyWith<int>> set;
  const budget::Grant grant(budget::per_poll);
  std::uint32_t rounds = 0;
  int wakes = 0;
  for (;;) {
    set.push(ReadyWith(1));
    wakes = context.wakes();
    if (set.poll_next(context).is_pending()) break;
    ASSERT_LE(++rounds, budget::per_poll);
  }
  EXPECT_EQ(context.wakes(), wakes + 1) << "woken to go on";
}

TEST(futures_unordered, without_budget_it_does_not_poll_the_rest_in_vain) {
  struct Refused {
    Poll<int> poll(Context& context) {
      ++*polls;
      if (!budget::take(context)) return pending;
      return 1;
    }
    int* polls;
  };
  int polls = 0;
  FuturesUnordered<Refused> set;
  for (int i = 0; i < 1000; ++i) set.push(Refused{&polls});
  CountedContext context;
  int outputs = 0;
  int rounds = 0;
  while (!set.is_empty()) {
    const budget::Grant grant(100);
    while (!set.is_empty() && set.poll_next(context).is_ready()) ++outputs;
    ++rounds;
  }
  EXPECT_EQ(outputs, 1000);
  EXPECT_LE(rounds, 1000 / 50 + 1);
  EXPECT_LE(polls, outputs + rounds);
}

TEST(futures_ordered, outputs_come_in_the_order_of_the_futures) {
  Promises<int> promises(4);
  FuturesOrdered<Promised<int>> set;
  push(set, promises);
  CountedContext context;
  EXPECT_TRUE(set.poll_next(context).is_pending());
  promises[2].keep(2);
  promises[1].keep(1);
  EXPECT_TRUE(set.poll_next(context).is_pending());
  EXPECT_EQ(set.size(), 4u);
  promises[0].keep(0);
  for (const int expected : {0, 1, 2}) EXPECT_EQ(set.poll_next(context).take(), expected);
  EXPECT_TRUE(set.poll_next(context).is_pending());
  promises[3].keep(3);
  EXPECT_EQ(set.poll_next(context).take(), 3);
  EXPECT_EQ(set.poll_next(context).take(), std::nullopt);
}

TEST(futures_ordered, what_a_future_throws_comes_in_its_turn) {
  FuturesOrdered<Task<int>> set;
  set.push(gives(0));
  set.push(throws());
  set.push(gives(2));
  CountedContext context;
  EXPECT_EQ(set.poll_next(context).take(), 0);
  EXPECT_THROW(static_cast<void>(set.poll_next(context)), std::runtime_error);
  EXPECT_EQ(set.poll_next(context).take(), 2);
  EXPECT_EQ(set.poll_next(context).take(), std::nullopt);
}

TEST(futures_ordered, dropping_next_loses_no_output) {
  Promises<int> promises(2);
  FuturesOrdered<Promised<int>> set;
  push(set, promises);
  CountedContext context;
  promises[1].keep(1);
  EXPECT_TRUE(next(set).poll(context).is_pending());  // has taken the second output, and is dropped
  promises[0].keep(0);
  EXPECT_EQ(next(set).poll(context).take(), 0);
  EXPECT_EQ(next(set).poll(context).take(), 1);
}

TEST(join_all, outputs_are_in_order) {
  Promises<int> promises(50);
  auto all = join_all(promises.futures());
  CountedContext context;
  EXPECT_TRUE(all.poll(context).is_pending());
  for (std::size_t i = 50; i-- > 0;) promises[i].keep(static_cast<int>(i));
  auto result = all.poll(context);
  ASSERT_TRUE(result.is_ready());
  std::vector<int> expected(50);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(result.value(), expected);
}

TEST(join_all, of_nothing_is_ready) {
  CountedContext context;
  EXPECT_TRUE(join_all(std::vector<Task<int>>()).poll(context).take().empty());
  EXPECT_TRUE(join_all(std::vector<Task<>>()).poll(context).is_ready());
}

TEST(join_all, of_a_borrowed_range_and_of_a_view) {
  Promises<int> promises(2);
  auto futures = promises.futures();
  CountedContext context;
  EXPECT_TRUE(join_all(futures).poll(context).is_pending());
  promises[0].keep(1);
  promises[1].keep(2);
  EXPECT_EQ(join_all(futures).poll(context).take(), (std::vector{1, 2}));
  const std::array numbers{1, 2, 3};
  EXPECT_EQ(join_all(numbers | std::views::transform(gives)).poll(context).take(), (std::vector{1, 2, 3}));
}

TEST(join_all, an_exception_ends_it) {
  std::vector<Task<int>> tasks;
  tasks.push_back(gives(1));
  tasks.push_back(throws());
  auto all = join_all(std::move(tasks));
  CountedContext context;
  EXPECT_TRUE(all.poll(context).is_pending());
  EXPECT_THROW(static_cast<void>(all.poll(context)), std::runtime_error);
}

TEST(join_all, dropping_it_cancels_the_futures) {
  Promises<int> promises(3);
  CountedContext context;
  {
    auto all = join_all(promises.futures());
    EXPECT_TRUE(all.poll(context).is_pending());
  }
  for (auto& promise : promises.all) EXPECT_FALSE(promise.is_awaited());
}

TEST(try_join_all, values_in_order_or_the_first_error) {
  CountedContext context;
  {
    Promises<Result<int>> promises(3);
    auto all = try_join_all(promises.futures());
    EXPECT_TRUE(all.poll(context).is_pending());
    for (std::size_t i = 3; i-- > 0;) promises[i].keep(static_cast<int>(i));
    EXPECT_EQ(all.poll(context).take().value(), (std::vector{0, 1, 2}));
  }
  Promises<Result<int>> promises(3);
  {
    auto all = try_join_all(promises.futures());
    EXPECT_TRUE(all.poll(context).is_pending());
    promises[1].keep(refused());
    auto result = all.poll(context);
    ASSERT_TRUE(result.is_ready());
    EXPECT_EQ(result.value().error(), std::errc::connection_refused);
    EXPECT_TRUE(promises[0].is_awaited()) << "cancelled with the object, not before";
  }
  EXPECT_FALSE(promises[0].is_awaited());
}

TEST(try_join_all, of_results_of_void) {
  Promises<Result<void>> promises(2);
  auto all = try_join_all(promises.futures());
  static_assert(std::is_same_v<Output<decltype(all)>, Result<void>>);
  CountedContext context;
  promises[0].keep({});
  EXPECT_TRUE(all.poll(context).is_pending());
  promises[1].keep({});
  EXPECT_TRUE(all.poll(context).take());
}

// A set on one worker, its children woken on others, some dropped while that happens.
TEST(futures_unordered, stress_wakes_from_other_threads) {
  Runtime runtime = Builder().workers(4).build().value();
  constexpr int sets = 8;
  constexpr int rounds = scaled(60, 12);
  constexpr int children = 40;
  auto answer = [](int number) -> Task<int> {
    for (int i = 0; i < number % 4; ++i) co_await yield_now();
    co_return number;
  };
  auto body = [&answer](int seed) -> Task<int> {
    int sum = 0;
    for (int round = 0; round < rounds; ++round) {
      FuturesUnordered<JoinHandle<int>> set;
      for (int i = 0; i < children; ++i) set.push(spawn(answer(i + seed)));
      const int wanted = round % 3 == 0 ? children / 2 : children;  // the rest is dropped with the set
      for (int i = 0; i < wanted; ++i) {
        auto output = co_await next(set);
        output->value();
        ++sum;
      }
    }
    co_return sum;
  };
  std::vector<JoinHandle<int>> handles;
  for (int i = 0; i < sets; ++i) handles.push_back(runtime.spawn(body(i)));
  int total = 0;
  for (auto& handle : handles) total += runtime.block_on(std::move(handle)).value();
  EXPECT_EQ(total, sets * (rounds / 3 * (children / 2) + rounds / 3 * 2 * children));
}

}  // namespace
}  // namespace skua::tests
