// CancellationToken, and what is made of it.
#include <skua/skua.hpp>

#include "../support/probe.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <vector>

namespace skua::tests {

namespace {

using namespace std::chrono_literals;

TEST(cancellation, tells_who_waits_and_who_asks) {
  const CancellationToken token;
  CountedContext context;
  auto wait = token.cancelled();
  EXPECT_TRUE(wait.poll(context).is_pending());
  EXPECT_FALSE(token.is_cancelled());
  EXPECT_EQ(token.reason(), std::nullopt);
  EXPECT_TRUE(token.cancel(CancelReason::overload));
  EXPECT_EQ(context.wakes(), 1);
  EXPECT_EQ(wait.poll(context).take(), CancelReason::overload);
  EXPECT_FALSE(token.cancel(CancelReason::user)) << "it was cancelled before";
  EXPECT_EQ(token.reason(), CancelReason::overload) << "the first reason stays";
  EXPECT_EQ(token.cancelled().poll(context).take(), CancelReason::overload);
}

TEST(cancellation, goes_down_the_tree_and_never_up) {
  const CancellationToken root;
  const CancellationToken left = root.child(), right = root.child();
  const CancellationToken leaf = left.child();
  CountedContext of_leaf, of_right;
  auto leaf_wait = leaf.cancelled();
  auto right_wait = right.cancelled();
  EXPECT_TRUE(leaf_wait.poll(of_leaf).is_pending());
  EXPECT_TRUE(right_wait.poll(of_right).is_pending());
  left.cancel(CancelReason::deadline);
  EXPECT_EQ(of_leaf.wakes(), 1);
  EXPECT_EQ(leaf.reason(), CancelReason::deadline);
  EXPECT_FALSE(root.is_cancelled());
  EXPECT_FALSE(right.is_cancelled());
  root.cancel(CancelReason::shutdown);
  EXPECT_EQ(of_right.wakes(), 1);
  EXPECT_EQ(right.reason(), CancelReason::shutdown);
  EXPECT_EQ(leaf.reason(), CancelReason::deadline);
  EXPECT_EQ(root.child().reason(), CancelReason::shutdown) << "born cancelled";
}

TEST(cancellation, passes_through_a_token_that_nobody_holds) {
  const CancellationToken root;
  std::optional<CancellationToken> middle = root.child();
  const CancellationToken leaf = middle->child();
  middle.reset();
  root.cancel();
  EXPECT_TRUE(leaf.is_cancelled());
}

TEST(cancellation, deep_and_wide_trees_cost_no_stack) {
  constexpr int depth = 100000;
  const CancellationToken root;
  CancellationToken leaf = root;
  for (int i = 0; i < depth; ++i) leaf = leaf.child();
  std::vector<CancellationToken> wide;
  for (int i = 0; i < depth; ++i) wide.push_back(root.child());
  root.cancel();
  EXPECT_TRUE(leaf.is_cancelled());
  for (const CancellationToken& token : wide) ASSERT_TRUE(token.is_cancelled());
}

TEST(cancellation, a_dropped_wait_is_forgotten) {
  const CancellationToken token;
  CountedContext dropped, kept;
  auto last = token.cancelled();
  {
    auto wait = token.cancelled();
    EXPECT_TRUE(wait.poll(dropped).is_pending());
    EXPECT_TRUE(last.poll(kept).is_pending());
  }
  token.cancel();
  EXPECT_EQ(dropped.wakes(), 0);
  EXPECT_EQ(kept.wakes(), 1);
}

TEST(cancellation, wakes_the_waker_of_the_last_poll_and_many_at_once) {
  const CancellationToken token;
  CountedContext first;
  std::vector<CountedContext> contexts(50);
  std::vector<CancellationToken::Cancelled> waits;
  waits.reserve(contexts.size());
  for (auto& context : contexts) {
    waits.push_back(token.cancelled());
    EXPECT_TRUE(waits.back().poll(first).is_pending());
    EXPECT_TRUE(waits.back().poll(context).is_pending());
  }
  token.cancel();
  EXPECT_EQ(first.wakes(), 0);
  for (auto& context : contexts) EXPECT_EQ(context.wakes(), 1);
}

TEST(cancellation, a_waker_may_use_the_token) {
  const CancellationToken token;
  struct Reentrant {
    explicit Reentrant(CancellationToken given) : own(std::move(given)) {}
    void wake() noexcept {
      seen = own.is_cancelled();
      own.cancel();
      child_seen = own.child().is_cancelled();
    }
    CancellationToken own;
    bool seen = false, child_seen = false;
  };
  const auto reentrant = std::make_shared<Reentrant>(token);
  const Waker waker = make_waker(reentrant);
  Context context(waker);
  auto wait = token.cancelled();
  EXPECT_TRUE(wait.poll(context).is_pending());
  token.cancel();
  EXPECT_TRUE(reentrant->seen);
  EXPECT_TRUE(reentrant->child_seen);
}

TEST(cancellation, drop_guard_cancels_unless_disarmed) {
  const CancellationToken token;
  {
    token.drop_guard().disarm();
  }
  EXPECT_FALSE(token.is_cancelled());
  {
    auto guard = token.drop_guard();
    auto moved = std::move(guard);
    EXPECT_FALSE(token.is_cancelled());
  }
  EXPECT_EQ(token.reason(), CancelReason::abandoned);
}

TEST(cancellation, run_until_cancelled_drops_the_future) {
  const CancellationToken token;
  CountedContext context;
  Census census;
  Gate gate;
  auto body = [&](Counted) -> Task<int> {
    co_await gate.wait();
    co_return 7;
  };
  {
    auto run = run_until_cancelled(token, body(Counted(census)));
    EXPECT_TRUE(run.poll(context).is_pending());
    gate.open();
    EXPECT_EQ(run.poll(context).take(), 7);
  }
  gate.close();
  {
    auto run = run_until_cancelled(token, body(Counted(census)));
    EXPECT_TRUE(run.poll(context).is_pending());
    const int wakes = context.wakes();
    token.cancel();
    EXPECT_EQ(context.wakes(), wakes + 1);
    auto result = run.poll(context);
    ASSERT_TRUE(result.is_ready());
    EXPECT_EQ(result.value(), std::nullopt);
  }
  EXPECT_EQ(census.alive(), 0);
}

TEST(cancellation, run_until_cancelled_begins_nothing_after_the_cancel) {
  const CancellationToken token;
  token.cancel();
  CountedContext context;
  Gate gate;
  gate.open();
  auto wait = gate.wait();
  EXPECT_EQ(run_until_cancelled(token, wait).poll(context).take(), std::nullopt);
  EXPECT_EQ(gate.polls(), 0);
  EXPECT_TRUE(wait.poll(context).is_ready()) << "a borrowed future is as it was";
}

// What cancels, waits, makes children and drops them, all at once.
TEST(cancellation, many_threads) {
  Runtime runtime = Builder().workers(4).build().value();
  for (int round = 0; round < scaled(300, 40); ++round) {
    const CancellationToken root;
    TaskTracker tracker;
    auto waiter = [](CancellationToken token, int number) -> Task<> {
      const CancellationToken child = token.child();
      for (int i = 0; i < number; ++i) {
        const CancellationToken passing = child.child();
        const auto given_up = co_await run_until_cancelled(passing, yield_now());
        if (!given_up) break;
      }
      co_await child.child().cancelled();
      EXPECT_TRUE(child.is_cancelled());
    };
    std::vector<JoinHandle<void>> handles;
    for (int i = 0; i < 16; ++i) handles.push_back(runtime.spawn(tracker.track(waiter(root, i))));
    handles[3].abort();
    handles[7].abort();
    std::thread canceller([&] { root.cancel(CancelReason::shutdown); });
    tracker.close();
    auto wait = tracker.wait();
    const bool ended = await_within(wait).has_value();
    canceller.join();
    ASSERT_TRUE(ended);
  }
}

}  // namespace
}  // namespace skua::tests
