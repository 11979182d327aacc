// CancellationToken, and what is made of it.
#include <skua/skua.hpp>

#include "../support/probe.hpp"

#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <stop_token>
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

// ---------------------------------------------------------------------------------------------------- stop_token

TEST(stop_token, is_requested_when_the_token_is_cancelled) {
  const CancellationToken token;
  const LinkedStopToken link(token);
  int called = 0;
  const std::stop_callback callback(link.get(), [&] { ++called; });
  EXPECT_FALSE(link.get().stop_requested());
  token.cancel();
  EXPECT_TRUE(link.get().stop_requested());
  EXPECT_EQ(called, 1);
  EXPECT_TRUE(LinkedStopToken(token).get().stop_requested()) << "of a token that is cancelled already";
}

TEST(stop_token, a_dropped_link_does_nothing) {
  const CancellationToken token;
  std::stop_token stop;
  {
    const LinkedStopToken link(token);
    stop = link.get();
  }
  token.cancel();
  EXPECT_FALSE(stop.stop_requested());
  std::stop_source source;
  const CancellationToken other;
  {
    const LinkedCancellation link(source.get_token(), other);
  }
  source.request_stop();
  EXPECT_FALSE(other.is_cancelled());
}

TEST(stop_token, cancels_a_token) {
  std::stop_source source;
  const LinkedCancellation link(source.get_token(), CancelReason::shutdown);
  const CancellationToken child = link.token().child();
  EXPECT_FALSE(link.token().is_cancelled());
  source.request_stop();
  EXPECT_EQ(child.reason(), CancelReason::shutdown);
  EXPECT_TRUE(LinkedCancellation(source.get_token()).token().is_cancelled()) << "of a stop requested before";
}

TEST(stop_token, of_a_jthread) {
  std::promise<CancelReason> told;
  std::jthread thread([&](std::stop_token stop) {
    const LinkedCancellation link(std::move(stop), CancelReason::abandoned);
    auto cancelled = link.token().cancelled();
    told.set_value(await_within(cancelled).value());
  });
  thread.request_stop();
  EXPECT_EQ(told.get_future().get(), CancelReason::abandoned);
}

// ------------------------------------------------------------------------------------------------------ deadlines

class Deadlines : public testing::Test {
 protected:
  template <class T>
  T run(Task<T> task) {
    return runtime.block_on(runtime.spawn(std::move(task))).value();
  }
  Runtime runtime = Builder().workers(2).build().value();
};

Task<std::optional<Instant>> inherited_deadline() {
  co_await yield_now();
  co_return current_deadline();
}
Task<> forever() { co_await sleep(24h); }

TEST_F(Deadlines, end_what_takes_too_long) {
  run([]() -> Task<> {
    const Result<void> late = co_await with_deadline(seam::now() + 5ms, forever());
    EXPECT_EQ(late.error(), Error(std::errc::timed_out));
    auto in_time = co_await with_deadline(seam::now() + 1h, inherited_deadline());
    EXPECT_TRUE(in_time.value().has_value());
    EXPECT_EQ(current_deadline(), std::nullopt);
    EXPECT_EQ(time_left(), Duration::max());
  }());
}

TEST_F(Deadlines, inner_ones_shorten_and_never_extend) {
  run([]() -> Task<> {
    const Instant near = seam::now() + 1h, far = seam::now() + 2h;
    auto inner = [&]() -> Task<> {
      EXPECT_EQ((co_await with_deadline(far, inherited_deadline())).value(), near);
      EXPECT_EQ((co_await with_deadline(near - 30min, inherited_deadline())).value(), near - 30min);
      EXPECT_EQ(current_deadline(), near);
      EXPECT_LE(time_left(), 1h);
    };
    (co_await with_deadline(near, inner())).value();
  }());
}

TEST_F(Deadlines, propagate_to_spawned_tasks) {
  run([]() -> Task<> {
    const Instant deadline = seam::now() + 20ms;
    auto grandchild = []() -> Task<bool> {
      const Result<void> late = co_await until_deadline(forever());
      co_return late.error() == std::errc::timed_out;
    };
    auto child = [&]() -> Task<bool> { co_return (co_await spawn(grandchild())).value(); };
    JoinHandle<bool> handle = [&] {
      // spawned inside, joined outside: the deadline would drop the join with all the rest
      std::optional<JoinHandle<bool>> spawned;
      auto parent = [&]() -> Task<> {
        spawned = spawn(child());
        co_return;
      };
      auto bound = with_deadline(deadline, parent());
      static_cast<void>(await_within(bound));
      return *std::move(spawned);
    }();
    EXPECT_TRUE((co_await handle).value());
    EXPECT_GE(seam::now(), deadline);
  }());
}

// ---------------------------------------------------------------------------------------------------------- stress

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
