// Task and try_(): coroutines polled by hand.
#include <skua/core/task.hpp>

#include "../support/probe.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace skua::tests {
namespace {

// A million of them finds every await that costs stack; thread sanitizer keeps a shadow of each frame's memory and
// takes 20 times as long for it, with nothing more to see after 10^5.
constexpr int many_awaits = thread_sanitized ? 100'000 : 1'000'000;

/// Pending `times` times, and wakes at once.
class [[nodiscard]] PendingFor {
 public:
  explicit PendingFor(int times, int* polls = nullptr) noexcept : left_(times), polls_(polls) {}
  Poll<int> poll(Context& context) {
    if (polls_ != nullptr) ++*polls_;
    if (left_-- > 0) {
      context.waker().wake_by_ref();
      return pending;
    }
    return 1;
  }

 private:
  int left_;
  int* polls_;
};

/// Throws at its n-th poll.
class [[nodiscard]] ThrowsAtPoll {
 public:
  explicit ThrowsAtPoll(int at) noexcept : at_(at) {}
  Poll<void> poll(Context& context) {
    if (--at_ == 0) throw std::runtime_error("leaf");
    context.waker().wake_by_ref();
    return pending;
  }

 private:
  int at_;
};

/// Writes its name into a log when it is destroyed.
class Note {
 public:
  Note(std::vector<std::string>& log, std::string name) : log_(&log), name_(std::move(name)) {}
  Note(Note&& other) noexcept : log_(std::exchange(other.log_, nullptr)), name_(std::move(other.name_)) {}
  Note& operator=(Note&&) = delete;
  ~Note() {
    if (log_ != nullptr) log_->push_back(name_);
  }

 private:
  std::vector<std::string>* log_;
  std::string name_;
};

template <class T>
T finish(Task<T>& task, Context& context, int most_polls = 1000) {
  for (int i = 0; i < most_polls; ++i) {
    if (auto result = task.poll(context); result.is_ready()) return std::move(result).take();
  }
  throw std::logic_error("the task does not end");
}

// --- Laziness, results, ownership -----------------------------------------------------------------------------------

Task<int> sets(bool& started, int value) {
  started = true;
  co_return value;
}

TEST(task, does_nothing_until_it_is_polled) {
  bool started = false;
  CountedContext context;
  {
    Task<int> task = sets(started, 3);
    EXPECT_FALSE(started);
    auto result = task.poll(context);
    EXPECT_TRUE(started);
    EXPECT_EQ(std::move(result).take(), 3);
  }
  started = false;
  {
    const Task<int> dropped = sets(started, 4);
  }
  EXPECT_FALSE(started);
}

Task<std::unique_ptr<int>> move_only(std::unique_ptr<int> value) { co_return value; }
Task<std::unique_ptr<int>> passes_on(std::unique_ptr<int> value) { co_return co_await move_only(std::move(value)); }

TEST(task, moves_arguments_in_and_results_out) {
  CountedContext context;
  auto task = passes_on(std::make_unique<int>(9));
  EXPECT_EQ(*finish(task, context), 9);
}

Task<int> keeps(Counted) { co_return 1; }

TEST(task, taking_the_result_destroys_the_frame) {
  Census census;
  CountedContext context;
  Task<int> task = keeps(Counted(census));
  EXPECT_EQ(census.alive(), 1);
  EXPECT_EQ(finish(task, context), 1);
  EXPECT_EQ(census.alive(), 0);
  EXPECT_FALSE(task.handle());
}

Task<int> child_is_gone_when_its_result_is_there(Census& census) {
  const int value = co_await keeps(Counted(census));
  EXPECT_EQ(census.alive(), 0);
  Task<int> named = keeps(Counted(census));
  co_await named;
  EXPECT_EQ(census.alive(), 0);
  co_return value;
}

TEST(task, awaited_child_is_destroyed_before_its_parent_goes_on) {
  Census census;
  CountedContext context;
  auto task = child_is_gone_when_its_result_is_there(census);
  EXPECT_EQ(finish(task, context), 1);
}

TEST(task, move_assignment_swaps_ownership) {
  Census first, second;
  {
    Task<int> task = keeps(Counted(first));
    task = keeps(Counted(second));
    EXPECT_EQ(first.alive() + second.alive(), second.alive()) << "the assigned-from temporary took the old frame along";
  }
  EXPECT_EQ(first.alive(), 0);
  EXPECT_EQ(second.alive(), 0);
}

// --- Polling --------------------------------------------------------------------------------------------------------

Task<int> deep(int depth, int times, int& polls) {
  if (depth == 0) co_return co_await PendingFor(times, &polls);
  co_return 1 + co_await deep(depth - 1, times, polls);
}

TEST(task, a_wake_polls_the_leaf_once_and_no_coroutine_above_it) {
  int polls = 0;
  CountedContext context;
  Task<int> task = deep(1000, 50, polls);
  for (int i = 1; i <= 50; ++i) {
    ASSERT_TRUE(task.poll(context).is_pending());
    EXPECT_EQ(polls, i);
    EXPECT_EQ(context.wakes(), i);
  }
  EXPECT_EQ(finish(task, context), 1001);
  EXPECT_EQ(polls, 51);
}

TEST(task, spurious_polls_change_nothing) {
  Gate gate;
  CountedContext context;
  auto waits = [](Gate& at) -> Task<int> {
    co_await at.wait();
    co_return 5;
  };
  Task<int> task = waits(gate);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(task.poll(context).is_pending());
  gate.open();
  EXPECT_EQ(finish(task, context, 1), 5);
}

TEST(task, the_waker_of_the_latest_poll_is_the_one_that_is_woken) {
  std::vector<Waker> stored;
  struct Stores {
    explicit Stores(std::vector<Waker>& to) : wakers(to) {}
    Poll<void> poll(Context& context) {
      wakers.push_back(context.waker());
      return pending;
    }
    std::vector<Waker>& wakers;
  };
  auto waits = [](std::vector<Waker>& to) -> Task<> { co_await Stores(to); };
  Task<> task = waits(stored);
  CountedContext first, second;
  EXPECT_TRUE(task.poll(first).is_pending());
  EXPECT_TRUE(task.poll(second).is_pending());
  ASSERT_EQ(stored.size(), 2u);
  EXPECT_TRUE(stored[0].will_wake(first.waker()));
  EXPECT_TRUE(stored[1].will_wake(second.waker()));
}

Task<int> migrates() {
  int sum = 0;
  for (int i = 0; i < 100; ++i) sum += co_await PendingFor(1);
  co_return sum;
}

TEST(task, is_polled_by_one_thread_after_another) {
  Task<int> task = migrates();
  int result = 0;
  while (result == 0) {
    std::thread([&] {
      CountedContext context;
      if (auto polled = task.poll(context); polled.is_ready()) result = std::move(polled).take();
    }).join();
  }
  EXPECT_EQ(result, 100);
}

Task<int> awaits_by_reference(Task<int>& other) { co_return 10 + co_await other; }

TEST(task, that_was_polled_before_can_be_awaited) {
  CountedContext context;
  int polls = 0;
  Task<int> inner = deep(3, 5, polls);
  EXPECT_TRUE(inner.poll(context).is_pending());
  EXPECT_TRUE(inner.poll(context).is_pending());
  Task<int> outer = awaits_by_reference(inner);
  EXPECT_EQ(finish(outer, context), 14);
  EXPECT_EQ(polls, 6);
}

TEST(task, that_was_polled_before_and_throws_passes_the_exception_on) {
  CountedContext context;
  auto throws = []() -> Task<int> {
    co_await ThrowsAtPoll(3);
    co_return 0;
  };
  Task<int> inner = throws();
  EXPECT_TRUE(inner.poll(context).is_pending());
  Task<int> outer = awaits_by_reference(inner);
  EXPECT_THROW(finish(outer, context), std::runtime_error);
}

// --- A million awaits in a row --------------------------------------------------------------------------------------

Task<std::int64_t> awaits_leaves(int count) {
  std::int64_t sum = 0;
  for (int i = 0; i < count; ++i) sum += co_await ReadyWith<int>(1);
  co_return sum;
}
Task<int> one() { co_return 1; }
Task<std::int64_t> awaits_children(int count) {
  std::int64_t sum = 0;
  for (int i = 0; i < count; ++i) sum += co_await one();
  co_return sum;
}
Task<std::int64_t> awaits_named_children(int count) {
  std::int64_t sum = 0;
  for (int i = 0; i < count; ++i) {
    Task<int> child = one();
    sum += co_await child;
  }
  co_return sum;
}
Task<Result<std::int64_t>> tries_ready_results(int count) {
  std::int64_t sum = 0;
  for (int i = 0; i < count; ++i) sum += co_await try_(Result<int>(1));
  co_return sum;
}
Task<int> one_after_pending() { co_return co_await PendingFor(1); }
Task<std::int64_t> awaits_pending_children(int count) {
  std::int64_t sum = 0;
  for (int i = 0; i < count; ++i) sum += co_await one_after_pending();
  co_return sum;
}

TEST(task, a_million_ready_leaves_in_a_row_use_no_stack) {
  CountedContext context;
  auto task = awaits_leaves(many_awaits);
  EXPECT_EQ(finish(task, context, 1), many_awaits);
}
TEST(task, a_million_children_in_a_row_use_no_stack) {
  CountedContext context;
  auto task = awaits_children(many_awaits);
  EXPECT_EQ(finish(task, context, 1), many_awaits);
}
TEST(task, a_million_tasks_awaited_by_reference_use_no_stack) {
  CountedContext context;
  auto task = awaits_named_children(many_awaits);
  EXPECT_EQ(finish(task, context, 1), many_awaits);
}
TEST(task, a_million_tried_results_use_no_stack) {
  CountedContext context;
  auto task = tries_ready_results(many_awaits);
  EXPECT_EQ(finish(task, context, 1).value(), many_awaits);
}
TEST(task, children_that_wait_alternate_with_their_parent_on_a_flat_stack) {
  CountedContext context;
  auto task = awaits_pending_children(many_awaits / 10);
  EXPECT_EQ(finish(task, context, many_awaits), many_awaits / 10);
}

Task<int> returns_from(int depth) {
  if (depth == 0) co_return 0;
  co_return 1 + co_await returns_from(depth - 1);
}

TEST(task, ten_thousand_levels_begin_and_return_on_a_flat_stack) {
  CountedContext context;
  auto task = returns_from(10'000);
  EXPECT_EQ(finish(task, context, 1), 10'000);
}

// --- Exceptions -----------------------------------------------------------------------------------------------------

Task<> throws_after(int polls) { co_await ThrowsAtPoll(polls); }
Task<> passes_exception(int depth, int polls) {
  if (depth == 0) co_return co_await throws_after(polls);
  co_await passes_exception(depth - 1, polls);
}
Task<int> catches(int polls) {
  try {
    co_await passes_exception(20, polls);
  } catch (const std::runtime_error& error) {
    co_return error.what() == std::string("leaf") ? 1 : 2;
  }
  co_return 3;
}

TEST(task, exception_of_the_first_poll_passes_nested_awaits) {
  CountedContext context;
  auto task = catches(1);
  EXPECT_EQ(finish(task, context), 1);
}
TEST(task, exception_of_a_later_poll_passes_nested_awaits) {
  CountedContext context;
  auto task = catches(4);
  EXPECT_EQ(finish(task, context), 1);
}
TEST(task, exception_leaves_through_who_polls_the_root) {
  CountedContext context;
  Task<> task = passes_exception(2, 1);
  EXPECT_THROW(static_cast<void>(task.poll(context)), std::runtime_error);
  EXPECT_FALSE(task.handle()) << "the frame is gone";
}

Task<int> goes_on_after_catching() {
  int caught = 0;
  for (int i = 0; i < 100; ++i) {
    try {
      co_await throws_after(1 + i % 2);
    } catch (const std::runtime_error&) {
      ++caught;
    }
  }
  co_return caught;
}

TEST(task, awaits_again_after_an_exception) {
  CountedContext context;
  auto task = goes_on_after_catching();
  EXPECT_EQ(finish(task, context), 100);
}

// --- Destruction ----------------------------------------------------------------------------------------------------

Task<> inner_steps(std::vector<std::string>& log) {
  const Note a(log, "inner a");
  co_await PendingFor(1);
  const Note b(log, "inner b");
  co_await PendingFor(1);
}
Task<> outer_steps(std::vector<std::string>& log, Note) {
  const Note first(log, "first");
  co_await PendingFor(1);
  const Note second(log, "second");
  co_await inner_steps(log);
  const Note third(log, "third");
  co_await PendingFor(1);
}

TEST(task, dropped_at_any_suspension_point_it_destroys_its_locals_in_reverse) {
  using Log = std::vector<std::string>;
  const std::vector<Log> expected{
      {"argument"},  // before the first poll
      {"first", "argument"},
      {"inner a", "second", "first", "argument"},
      {"inner b", "inner a", "second", "first", "argument"},
      {"inner b", "inner a", "third", "second", "first", "argument"},
      {"inner b", "inner a", "third", "second", "first", "argument"},
  };
  for (std::size_t polls = 0; polls < expected.size(); ++polls) {
    CountedContext context;
    Log log;
    {
      Task<> task = outer_steps(log, Note(log, "argument"));
      for (std::size_t i = 0; i < polls; ++i) EXPECT_EQ(task.poll(context).is_ready(), i == 4) << i;
    }
    EXPECT_EQ(log, expected[polls]) << "dropped after " << polls << " polls";
  }
}

TEST(task, dropping_a_deep_chain_destroys_every_frame) {
  Census census;
  struct Deep {
    static Task<> go(int depth, Counted counted) {
      if (depth == 0) {
        co_await PendingFor(1);
      } else {
        co_await go(depth - 1, counted);
      }
    }
  };
  {
    CountedContext context;
    Task<> task = Deep::go(1000, Counted(census));
    EXPECT_TRUE(task.poll(context).is_pending());
    EXPECT_GE(census.alive(), 1001);
  }
  EXPECT_EQ(census.alive(), 0);
}

// --- The asynchronous stack -----------------------------------------------------------------------------------------

struct Lines {
  unsigned outer = 0, middle = 0, inner = 0;
};
Task<> inner_line(Lines& lines) {
  lines.inner = __LINE__ + 1;  // the next line
  co_await PendingFor(1);
}
Task<> middle_line(Lines& lines) {
  lines.middle = __LINE__ + 1;  // the next line
  co_await inner_line(lines);
}
Task<> outer_line(Lines& lines) {
  lines.outer = __LINE__ + 1;  // the next line
  co_await middle_line(lines);
}

TEST(task, each_await_of_the_chain_tells_its_line) {
  Lines lines;
  CountedContext context;
  Task<> task = outer_line(lines);
  ASSERT_TRUE(task.poll(context).is_pending());
  std::vector<unsigned> found;
  for (auto link = Chain::of(task.handle()).innermost(); link; link = link.promise().parent()) {
    found.push_back(link.promise().awaiting_at().line());
    EXPECT_NE(std::string(link.promise().awaiting_at().file_name()).find("task_test.cpp"), std::string::npos);
  }
  EXPECT_EQ(found, (std::vector<unsigned>{lines.inner, lines.middle, lines.outer}));
}

// --- try_() ---------------------------------------------------------------------------------------------------------

/// Ready with `result` after `times` pending polls.
class [[nodiscard]] ResultAfter {
 public:
  ResultAfter(int times, Result<int> result) : left_(times), result_(std::move(result)) {}
  Poll<Result<int>> poll(Context& context) {
    if (left_-- > 0) {
      context.waker().wake_by_ref();
      return pending;
    }
    return result_;
  }

 private:
  int left_;
  Result<int> result_;
};

Task<Result<int>> tries(int times, Result<int> result, std::vector<std::string>& log) {
  const Note a(log, "a");
  const Note b(log, "b");
  const int value = co_await try_(ResultAfter(times, std::move(result)));
  log.push_back("went on");
  co_return value * 2;
}
Task<int> sees(int times, Result<int> result, std::vector<std::string>& log) {
  const Result<int> outcome = co_await tries(times, std::move(result), log);
  log.push_back("awaiter");
  co_return outcome ? *outcome : -1;
}

TEST(try_, value_goes_on) {
  for (const int times : {0, 1, 3}) {
    CountedContext context;
    std::vector<std::string> log;
    auto task = sees(times, 21, log);
    EXPECT_EQ(finish(task, context), 42);
    EXPECT_EQ(log, (std::vector<std::string>{"went on", "b", "a", "awaiter"}));
  }
}

TEST(try_, error_ready_or_pending_ends_the_task_and_destroys_its_locals_first) {
  for (const int times : {0, 1, 3}) {
    CountedContext context;
    std::vector<std::string> log;
    auto task = sees(times, Error(std::errc::broken_pipe), log);
    EXPECT_EQ(finish(task, context), -1);
    EXPECT_EQ(log, (std::vector<std::string>{"b", "a", "awaiter"})) << times;
  }
}

TEST(try_, error_ends_the_root) {
  for (const int times : {0, 1, 3}) {
    CountedContext context;
    std::vector<std::string> log;
    auto task = tries(times, Error(std::errc::broken_pipe, "write", "[::1]:7"), log);
    const Result<int> result = finish(task, context);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message(), "write [::1]:7: Broken pipe");
    EXPECT_EQ(log, (std::vector<std::string>{"b", "a"}));
  }
}

Task<Result<int>> tries_nested(int depth, int times, Result<int> result, Counted counted) {
  if (depth == 0) co_return co_await try_(ResultAfter(times, std::move(result)));
  co_return 1 + co_await try_(tries_nested(depth - 1, times, std::move(result), counted));
}

TEST(try_, nested_error_ends_all_tasks_and_destroys_all_frames) {
  for (const int times : {0, 2}) {
    Census census;
    CountedContext context;
    auto task = tries_nested(50, times, Error(std::errc::io_error), Counted(census));
    EXPECT_EQ(finish(task, context).error(), std::errc::io_error);
    EXPECT_EQ(census.alive(), 0);
    auto good = tries_nested(50, times, 1, Counted(census));
    EXPECT_EQ(finish(good, context).value(), 51);
    EXPECT_EQ(census.alive(), 0);
  }
}

Task<Result<int>> tries_to_throw(int at) {
  struct Throws {
    explicit Throws(int n) : leaf(n) {}
    Poll<Result<int>> poll(Context& context) {
      if (leaf.poll(context).is_ready()) return Result<int>(0);
      return pending;
    }
    ThrowsAtPoll leaf;
  };
  try {
    co_await try_(Throws(at));
  } catch (const std::runtime_error&) {
    co_return 7;
  }
  co_return 8;
}

TEST(try_, exception_of_the_future_is_thrown_at_the_await) {
  for (const int at : {1, 3}) {
    CountedContext context;
    auto task = tries_to_throw(at);
    EXPECT_EQ(finish(task, context).value(), 7);
  }
}

Task<Result<void>> tries_void(Result<void> result) {
  co_await try_(std::move(result));
  co_return {};
}
Task<Result<std::unique_ptr<int>>> tries_move_only() {
  std::unique_ptr<int> value = co_await try_(Result<std::unique_ptr<int>>(std::make_unique<int>(3)));
  ++*value;
  co_return value;
}

TEST(try_, takes_results_without_waiting) {
  CountedContext context;
  auto good = tries_void({});
  EXPECT_TRUE(finish(good, context));
  auto bad = tries_void(Error(std::errc::timed_out));
  EXPECT_EQ(finish(bad, context).error(), std::errc::timed_out);
  auto moved = tries_move_only();
  EXPECT_EQ(*finish(moved, context).value(), 4);
}

Task<Result<int>> tries_lvalue(ResultAfter& future) { co_return co_await try_(future); }

TEST(try_, borrows_an_lvalue) {
  CountedContext context;
  ResultAfter future(2, 5);
  auto task = tries_lvalue(future);
  EXPECT_EQ(finish(task, context).value(), 5);
}

// --- The patterns that README.md calls safe on g++ 12 ---------------------------------------------------------------

/// A leaf with a constructor, which owns a counted object.
class [[nodiscard]] CountedLeaf {
 public:
  CountedLeaf(Counted counted, int times) : counted_(std::move(counted)), inner_(times) {}
  Poll<int> poll(Context& context) { return inner_.poll(context); }

 private:
  Counted counted_;
  PendingFor inner_;
};

Task<int> with_temporary_leaf(Census& census, int times) { co_return co_await CountedLeaf(Counted(census), times); }

template <class F>
Task<int> calls(F function) {
  co_return co_await function();
}
Task<int> with_named_closure(Census& census, int times) {
  auto closure = [counted = Counted(census), times]() -> Task<int> { co_return co_await PendingFor(times); };
  co_return co_await calls(std::move(closure));
}
Task<int> with_named_aggregate(Census& census, int times) {
  struct Aggregate {
    Counted counted;
    int times;
  };
  Aggregate aggregate{Counted(census), times};
  auto use = [](Aggregate taken) -> Task<int> { co_return co_await PendingFor(taken.times); };
  co_return co_await use(std::move(aggregate));
}
Task<int> with_task_temporary(Census& census, int times) { co_return co_await with_temporary_leaf(census, times); }

TEST(temporaries, safe_patterns_destroy_each_object_once) {
  for (const auto pattern : {&with_temporary_leaf, &with_named_closure, &with_named_aggregate, &with_task_temporary}) {
    for (const int times : {0, 1, 3}) {
      Census census;
      CountedContext context;
      auto task = pattern(census, times);
      EXPECT_EQ(finish(task, context), 1);
      EXPECT_GE(census.made.load(), 1);
      EXPECT_EQ(census.made.load(), census.destroyed.load());
    }
    Census census;  // and dropped while pending
    {
      CountedContext context;
      auto task = pattern(census, 2);
      EXPECT_TRUE(task.poll(context).is_pending());
      EXPECT_GE(census.alive(), 1);
    }
    EXPECT_EQ(census.made.load(), census.destroyed.load());
  }
}

}  // namespace
}  // namespace skua::tests
