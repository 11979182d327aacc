// select(), its guards and orders, race() and poll_once(), polled by hand.
#include <skua/skua.hpp>

#include "../support/probe.hpp"
#include "../support/promise.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace skua::tests {

namespace {

/// Always ready; takes no budget.
class Always {
 public:
  Poll<int> poll(Context&) { return 1; }
};

/// Ready as long as the task has budget, as the runtime's own operations are.
class Leaf {
 public:
  Poll<int> poll(Context& context) {
    if (!budget::take(context)) return pending;
    return 1;
  }
};

TEST(select, the_first_to_be_ready_wins_and_knows_its_index) {
  Promise<int> number;
  Promise<std::string> text;
  CountedContext context;
  auto first = select(number.future(), text.future());
  EXPECT_TRUE(first.poll(context).is_pending());
  text.keep("b");
  EXPECT_EQ(context.wakes(), 1);
  auto result = first.poll(context);
  ASSERT_TRUE(result.is_ready());
  EXPECT_EQ(std::get<1>(result.value()), "b");
}

TEST(select, is_fair) {
  constexpr int rounds = 600;
  std::array<int, 3> wins{};
  CountedContext context;
  for (int i = 0; i < rounds; ++i) ++wins[select(Always(), Always(), Always()).poll(context).take().index()];
  for (const int count : wins) EXPECT_GT(count, rounds / 6);
}

TEST(select, biased_asks_in_order) {
  CountedContext context;
  for (int i = 0; i < 50; ++i) {
    Promise<int> other;
    EXPECT_EQ(select(biased, Always(), other.future()).poll(context).take().index(), 0u);
    EXPECT_EQ(other.polls(), 0);
    EXPECT_EQ(select(biased, other.future(), Always()).poll(context).take().index(), 1u);
    EXPECT_EQ(other.polls(), 1);
  }
}

TEST(select, dropping_it_cancels_what_it_owns_and_keeps_what_it_borrowed) {
  Promise<int> owned;
  Promise<int> lent;
  auto borrowed = lent.future();
  CountedContext context;
  {
    auto first = select(owned.future(), borrowed);
    EXPECT_TRUE(first.poll(context).is_pending());
    EXPECT_TRUE(owned.is_awaited());
  }
  EXPECT_FALSE(owned.is_awaited());
  lent.keep(7);
  EXPECT_EQ(borrowed.poll(context).take(), 7);
}

TEST(select, a_branch_that_is_off_is_never_polled) {
  Promise<int> off;
  off.keep(1);
  Promise<int> on;
  CountedContext context;
  auto first = select(when(false, off.future()), when(true, on.future()));
  EXPECT_TRUE(first.poll(context).is_pending());
  EXPECT_EQ(off.polls(), 0);
  on.keep(2);
  auto result = first.poll(context);
  ASSERT_TRUE(result.is_ready());
  EXPECT_EQ(std::get<1>(result.value()), 2);
  EXPECT_EQ(off.polls(), 0);
}

TEST(select, a_borrowed_branch_may_be_guarded) {
  Promise<int> promise;
  auto future = promise.future();
  CountedContext context;
  EXPECT_TRUE(select(when(true, future), when(false, Always())).poll(context).is_pending());
  promise.keep(3);
  EXPECT_EQ(future.poll(context).take(), 3);
}

TEST(select, otherwise_is_taken_if_all_others_are_off_and_only_then) {
  Promise<int> promise;
  CountedContext context;
  EXPECT_EQ(select(when(false, Always()), when(false, Always()), otherwise).poll(context).take().index(), 2u);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(select(when(false, Always()), promise.future(), otherwise).poll(context).is_pending());
  }
}

TEST(select, all_off_without_otherwise_ends_the_program) {
  EXPECT_DEATH(
      {
        CountedContext context;
        auto first = select(when(false, Always()), when(false, Always()));
        static_cast<void>(first.poll(context));
      },
      "all branches of a select\\(\\) are off");
}

TEST(select, branches_that_take_no_budget_do_not_starve_others) {
  CountedContext context;
  const budget::Grant grant(budget::per_poll);
  std::uint32_t rounds = 0;
  while (select(Always(), Leaf()).poll(context).is_ready()) ASSERT_LE(++rounds, budget::per_poll);
  EXPECT_GE(context.wakes(), 1) << "woken to go on";
}

TEST(select, one_that_is_pending_uses_no_budget) {
  CountedContext context;
  Promise<int> never;
  const budget::Grant grant(5);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(select(never.future(), when(false, Always())).poll(context).is_pending());
  EXPECT_EQ(budget::remaining(), 5u);
}

TEST(race, gives_the_output_of_the_first) {
  Promise<std::unique_ptr<int>> one;
  Promise<std::unique_ptr<int>> two;
  CountedContext context;
  auto first = race(one.future(), two.future());
  EXPECT_TRUE(first.poll(context).is_pending());
  two.keep(std::make_unique<int>(2));
  auto result = first.poll(context);
  ASSERT_TRUE(result.is_ready());
  EXPECT_EQ(*result.value(), 2);
}

TEST(race, of_void_and_biased) {
  CountedContext context;
  EXPECT_TRUE(race(yield_now(), consume_budget()).poll(context).is_ready());
  EXPECT_EQ(race(biased, ReadyWith(1), ReadyWith(2)).poll(context).take(), 1);
}

TEST(race, of_a_range_polls_who_was_woken) {
  std::vector<Promise<int>> promises(100);
  std::vector<Promised<int>> futures;
  for (auto& promise : promises) futures.push_back(promise.future());
  CountedContext context;
  {
    auto first = race(std::move(futures));
    EXPECT_TRUE(first.poll(context).is_pending());
    promises[70].keep(70);
    EXPECT_EQ(first.poll(context).take(), 70);
  }
  for (std::size_t i = 0; i < promises.size(); ++i) {
    EXPECT_EQ(promises[i].polls(), i == 70 ? 2 : 1);
    promises[i].forget_waker();
    EXPECT_FALSE(promises[i].is_awaited());
  }
}

TEST(race, of_a_borrowed_range_leaves_the_losers) {
  std::vector<Promise<int>> promises(3);
  std::vector<Promised<int>> futures;
  for (auto& promise : promises) futures.push_back(promise.future());
  CountedContext context;
  promises[1].keep(1);
  EXPECT_EQ(race(futures).poll(context).take(), 1);
  promises[2].keep(2);
  EXPECT_EQ(futures[2].poll(context).take(), 2);
}

TEST(race, of_no_futures_ends_the_program) {
  EXPECT_DEATH(static_cast<void>(race(std::vector<Task<int>>())), "race\\(\\) was given no futures");
}

TEST(poll_once, says_what_is_there_and_does_not_wait) {
  Promise<int> promise;
  auto future = promise.future();
  CountedContext context;
  EXPECT_EQ(poll_once(future).poll(context).take(), std::nullopt);
  promise.keep(4);
  EXPECT_EQ(poll_once(future).poll(context).take(), 4);
  EXPECT_TRUE(poll_once(consume_budget()).poll(context).take());
}

TEST(poll_once, does_not_take_a_lack_of_budget_for_a_no) {
  CountedContext context;
  {
    const budget::Grant grant(1);
    EXPECT_TRUE(poll_once(Leaf()).poll(context).is_pending());
    EXPECT_GE(context.wakes(), 1);
  }
  {
    const budget::Grant grant(2);
    EXPECT_EQ(poll_once(Leaf()).poll(context).take(), 1);
  }
  const budget::Grant grant(2);
  EXPECT_TRUE(poll_once(race(Leaf(), Leaf())).poll(context).is_pending()) << "the race takes the unit that is left";
}

TEST(poll_once, a_loop_around_it_gives_way) {
  CountedContext context;
  Promise<int> never;
  const budget::Grant grant(budget::per_poll);
  std::uint32_t rounds = 0;
  while (poll_once(never.future()).poll(context).is_ready()) ASSERT_LE(++rounds, budget::per_poll);
}

}  // namespace
}  // namespace skua::tests
