// Task locals, ids, names, and unconstrained().
#include <skua/skua.hpp>

#include "../support/probe.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace skua::tests {

namespace {

const TaskLocal<std::string> user;
const TaskLocal<int> depth;
const TaskLocal<std::string, Inherit::yes> trace;
const TaskLocal<int, Inherit::yes> priority;

std::string text_of(const std::string* value) { return value == nullptr ? "none" : *value; }

Task<std::string> user_after_yield() {
  co_await yield_now();
  co_return text_of(user.get());
}
Task<std::string> trace_after_yield() {
  co_await yield_now();
  co_return text_of(trace.get());
}

/// Asks for a local when it is destroyed.
struct AsksLate {
  explicit AsksLate(std::string* to) noexcept : answer(to) {}
  AsksLate(AsksLate&& other) noexcept : answer(std::exchange(other.answer, nullptr)) {}
  ~AsksLate() {
    if (answer != nullptr) *answer = text_of(user.get()) + "," + text_of(trace.get());
  }
  std::string* answer;
};
Task<> never(AsksLate) { co_await Gate().wait(); }

class TaskLocalTest : public testing::Test {
 protected:
  template <class T>
  T run(Task<T> task) {
    return runtime.block_on(runtime.spawn(std::move(task))).value();
  }
  Runtime runtime = Builder().workers(2).build().value();
};

TEST_F(TaskLocalTest, is_bound_for_the_future_and_not_outside) {
  run([]() -> Task<> {
    EXPECT_EQ(user.get(), nullptr);
    EXPECT_EQ(co_await user.scope("ann", user_after_yield()), "ann");
    EXPECT_EQ(user.get(), nullptr);
  }());
}

TEST_F(TaskLocalTest, inner_binding_shadows_outer) {
  run([]() -> Task<> {
    auto inner = []() -> Task<std::string> {
      const std::string before = text_of(user.get());
      const std::string within = co_await user.scope("bob", user_after_yield());
      co_return before + within + text_of(user.get());
    };
    EXPECT_EQ(co_await user.scope("ann", inner()), "annbobann");
  }());
}

TEST_F(TaskLocalTest, a_value_may_be_changed_in_place) {
  run([]() -> Task<> {
    auto count = []() -> Task<int> {
      for (int i = 0; i < 3; ++i) {
        ++*depth.get();
        co_await yield_now();
      }
      co_return *depth.get();
    };
    EXPECT_EQ(co_await depth.scope(10, count()), 13);
  }());
}

TEST_F(TaskLocalTest, branches_of_a_join_have_their_own) {
  run([]() -> Task<> {
    auto [one, two, three] =
        co_await join(user.scope("ann", user_after_yield()), user.scope("bob", user_after_yield()), user_after_yield());
    EXPECT_EQ(one + two + three, "annbobnone");
  }());
}

TEST_F(TaskLocalTest, is_inherited_by_spawn_only_if_declared_so) {
  run([]() -> Task<> {
    auto parent = []() -> Task<std::string> {
      const std::string local = (co_await spawn(user_after_yield())).value();
      const std::string inherited = (co_await spawn(trace_after_yield())).value();
      co_return local + "," + inherited;
    };
    EXPECT_EQ(co_await user.scope("ann", trace.scope("t1", parent())), "none,t1");
    EXPECT_EQ((co_await spawn(trace_after_yield())).value(), "none");
  }());
}

TEST_F(TaskLocalTest, grandchildren_inherit_and_others_may_shadow) {
  run([]() -> Task<> {
    auto child = []() -> Task<std::string> {
      JoinHandle<std::string> shadowed = spawn(trace.scope("t2", trace_after_yield()));
      JoinHandle<std::string> plain = spawn(trace_after_yield());
      co_return (co_await plain).value() + (co_await shadowed).value() + std::to_string(*priority.get());
    };
    auto parent = [&]() -> Task<std::string> { co_return (co_await spawn(child())).value(); };
    EXPECT_EQ(co_await priority.scope(5, trace.scope("t1", parent())), "t1t25");
  }());
}

TEST_F(TaskLocalTest, is_inherited_from_block_on) {
  auto parent = []() -> Task<std::string> { co_return (co_await spawn(trace_after_yield())).value(); };
  EXPECT_EQ(runtime.block_on(trace.scope("t1", parent())), "t1");
  EXPECT_EQ(trace.get(), nullptr);
}

TEST_F(TaskLocalTest, is_there_when_the_future_is_destroyed) {
  std::string answer;
  run([&]() -> Task<> {
    auto parent = [&]() -> Task<> {
      JoinHandle<void> task = spawn(user.scope("ann", never(AsksLate(&answer))));
      co_await yield_now();
      task.abort();
      EXPECT_TRUE((co_await task).error().is_cancelled());
    };
    co_await trace.scope("t1", parent());
  }());
  EXPECT_EQ(answer, "ann,t1");
}

TEST_F(TaskLocalTest, inherited_values_go_with_the_last_task) {
  static const TaskLocal<Counted, Inherit::yes> counted;
  Census census;
  Gate gate;
  std::optional<JoinHandle<void>> handle;
  auto wait = [&]() -> Task<> { co_await gate.wait(); };
  auto parent = [&]() -> Task<> {
    handle = spawn(wait());
    co_return;
  };
  runtime.block_on(counted.scope(Counted(census), parent()));
  EXPECT_EQ(census.alive(), 1);
  gate.open();
  EXPECT_TRUE(eventually([&] { return census.alive() == 0; })) << "though the handle lives";
  EXPECT_TRUE(eventually([&] { return handle->is_finished(); }));
}

TEST_F(TaskLocalTest, generations_that_bind_anew_do_not_keep_the_old_values) {
  static const TaskLocal<Counted, Inherit::yes> counted;
  Census census;
  int most = 0;
  struct Generations {
    static Task<> run(Census& all, int& max, int left) {
      max = std::max(max, all.alive());
      if (left == 0) co_return;
      co_await yield_now();
      // Nobody joins: the parent ends while the child runs.
      JoinHandle<void> child = spawn(counted.scope(Counted(all), run(all, max, left - 1)));
      std::move(child).detach();
    }
  };
  run(Generations::run(census, most, 200));
  EXPECT_TRUE(eventually([&] { return runtime.handle().alive_tasks() == 0; }));
  EXPECT_EQ(census.alive(), 0);
  EXPECT_LT(most, 20) << "not one for each generation";
}

// -------------------------------------------------------------------------------------------------- ids and names

TEST_F(TaskLocalTest, ids_differ_and_are_known_inside) {
  auto own_id = []() -> Task<std::optional<TaskId>> {
    co_await yield_now();
    co_return current_task_id();
  };
  std::set<TaskId> ids;
  for (int i = 0; i < 600; ++i) {
    auto handle = runtime.spawn(own_id());
    const TaskId id = handle.id();
    EXPECT_EQ(runtime.block_on(std::move(handle)).value(), id);
    ids.insert(id);
  }
  auto many = [&]() -> Task<> {
    for (int i = 0; i < 600; ++i) ids.insert(spawn(own_id()).id());
    co_return;
  };
  run(many());
  EXPECT_EQ(ids.size(), 1200u);
  EXPECT_EQ(runtime.block_on(own_id()), std::nullopt) << "block_on() is no task";
  EXPECT_EQ(current_task_id(), std::nullopt);
}

TEST_F(TaskLocalTest, names_are_known_inside_and_outside) {
  auto own_name = []() -> Task<std::string> { co_return std::string(current_task_name()); };
  auto body = [&]() -> Task<> {
    auto handle = spawn_named("reader 7", own_name());
    EXPECT_EQ(handle.name(), "reader 7");
    EXPECT_EQ(handle.abort_handle().name(), "reader 7");
    EXPECT_EQ((co_await handle).value(), "reader 7");
    auto plain = spawn(own_name());
    EXPECT_EQ(plain.name(), "");
    EXPECT_EQ((co_await plain).value(), "");
    JoinSet<std::string> set;
    EXPECT_EQ(set.spawn_named("writer", own_name()).name(), "writer");
    auto next = co_await set.join_next();
    EXPECT_EQ(next->value(), "writer");
  };
  run(body());
}

// -------------------------------------------------------------------------------------------------- unconstrained

TEST(unconstrained, does_not_give_way) {
  CountedContext context;
  auto many = []() -> Task<int> {
    for (int i = 0; i < 1000; ++i) co_await consume_budget();
    co_return 1;
  };
  const budget::Grant grant(10);
  auto plain = many();
  EXPECT_TRUE(plain.poll(context).is_pending());
  auto free = unconstrained(many());
  EXPECT_TRUE(free.poll(context).is_ready());
  EXPECT_EQ(budget::remaining(), 0u) << "the task's own is as it was";
  auto borrowed = many();
  EXPECT_TRUE(unconstrained(borrowed).poll(context).is_ready());
}

}  // namespace
}  // namespace skua::tests
