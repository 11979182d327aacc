// Scope: no child outlives it, whatever becomes of the parent.
#include <skua/skua.hpp>

#include "../support/probe.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace skua::tests {

namespace {

using namespace std::chrono_literals;

/// What children borrow. It knows whether it is there, and who is using it.
class Frame {
 public:
  ~Frame() {
    EXPECT_EQ(users_.load(), 0) << "a child outlives what it borrows";
    users_.store(-1'000'000);
  }
  void enter() { EXPECT_GE(users_.fetch_add(1), 0); }
  void leave() { EXPECT_GE(users_.fetch_sub(1), 1); }
  int users() const { return users_.load(); }

 private:
  std::atomic<int> users_{0};
};

/// Uses the frame as long as it lives.
class Borrow {
 public:
  explicit Borrow(Frame& frame) noexcept : frame_(&frame) { frame_->enter(); }
  Borrow(Borrow&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Borrow& operator=(Borrow&&) = delete;
  ~Borrow() {
    if (frame_ != nullptr) frame_->leave();
  }

 private:
  Frame* frame_;
};

Task<> borrow_until(Frame& frame, Gate& gate) {
  const Borrow borrow(frame);
  co_await gate.wait();
}
/// Never waits for anything but its turn.
Task<> borrow_busily(Frame& frame) {
  const Borrow borrow(frame);
  for (;;) co_await yield_now();
}
Task<Result<int>> fails_with(std::errc code) {
  co_await yield_now();
  co_return Error(code, "work");
}
Task<int> number(int value) {
  co_await yield_now();
  co_return value;
}

class ScopeTest : public testing::TestWithParam<unsigned> {
 protected:
  template <class T>
  T run(Task<T> task) {
    auto handle = runtime.spawn(std::move(task));
    auto result = await_within(handle);
    if (!result) throw std::runtime_error("the task does not end");
    return std::move(*result).value();
  }
  Runtime runtime = Builder().workers(GetParam()).build().value();
  Gate gate;
};

TEST_P(ScopeTest, children_borrow_and_their_outputs_are_collected) {
  EXPECT_EQ(run([]() -> Task<int> {
              std::vector<int> values{1, 2, 3, 4};
              auto sum = [](const std::vector<int>& all, std::size_t from, std::size_t to) -> Task<int> {
                co_await yield_now();
                int total = 0;
                for (std::size_t i = from; i < to; ++i) total += all[i];
                co_return total;
              };
              Scope scope;
              auto left = scope.spawn(sum(values, 0, 2));
              auto right = scope.spawn(sum(values, 2, 4));
              (co_await scope.join()).value();
              EXPECT_EQ(scope.len(), 0u);
              co_return (co_await left).value() * 100 + (co_await right).value();
            }()),
            307);
}

TEST_P(ScopeTest, handles_may_be_awaited_without_join_and_callables_are_kept) {
  EXPECT_EQ(run([]() -> Task<int> {
              Scope scope;
              auto text = std::make_unique<int>(5);
              auto body = [kept = std::move(text)](int more) -> Task<int> {
                co_await yield_now();
                co_return *kept + more;
              };
              auto child = scope.spawn(std::move(body), 2);
              co_return (co_await child).value();
            }()),
            7);
}

TEST_P(ScopeTest, first_error_cancels_the_rest) {
  Census census;
  run([](Gate& never, Census& alive) -> Task<> {
    Scope scope;
    auto hold = [](Gate& at, Counted) -> Task<> { co_await at.wait(); };
    std::vector<ScopedJoinHandle<void>> handles;
    for (int i = 0; i < 10; ++i) handles.push_back(scope.spawn(hold(never, Counted(alive))));
    auto failed = scope.spawn(fails_with(std::errc::host_unreachable));
    const Result<void> outcome = co_await scope.join();
    EXPECT_EQ(outcome.error(), Error(std::errc::host_unreachable));
    EXPECT_EQ(alive.alive(), 0);
    EXPECT_EQ(scope.token().reason(), CancelReason::abandoned);
    for (auto& handle : handles) EXPECT_TRUE((co_await handle).error().is_cancelled());
    EXPECT_EQ((co_await failed).value().error(), std::errc::host_unreachable) << "it has its own output, too";
    EXPECT_TRUE((co_await scope.spawn(number(1))).error().is_cancelled()) << "nothing is begun any more";
  }(gate, census));
}

TEST_P(ScopeTest, first_exception_cancels_the_rest_and_is_thrown) {
  run([](Gate& never) -> Task<> {
    Frame frame;
    Scope scope;
    scope.spawn(borrow_until(frame, never));
    auto thrower = []() -> Task<> {
      co_await yield_now();
      throw std::runtime_error("no");
    };
    scope.spawn(thrower());
    bool caught = false;
    try {
      static_cast<void>(co_await scope.join());
    } catch (const std::runtime_error&) {
      caught = true;
    }
    EXPECT_TRUE(caught);
  }(gate));
}

TEST_P(ScopeTest, cancel_is_no_error) {
  run([](Gate& never) -> Task<> {
    Frame frame;
    Scope scope;
    for (int i = 0; i < 5; ++i) scope.spawn(borrow_until(frame, never));
    co_await yield_now();
    scope.cancel(CancelReason::overload);
    EXPECT_TRUE((co_await scope.join()).has_value());
    EXPECT_EQ(frame.users(), 0);
    EXPECT_EQ(scope.token().reason(), CancelReason::overload);
  }(gate));
}

TEST_P(ScopeTest, is_cancelled_with_the_parent_of_its_token) {
  run([](Gate& never) -> Task<> {
    const CancellationToken parent;
    Frame frame;
    Scope scope(parent);
    scope.spawn(borrow_until(frame, never));
    parent.cancel(CancelReason::shutdown);
    EXPECT_TRUE((co_await scope.join()).has_value());
    EXPECT_EQ(scope.token().reason(), CancelReason::shutdown);
  }(gate));
}

// --------------------------------------------------------------------------------------------- what the parent does

TEST_P(ScopeTest, parent_returns_early) {
  run([](Gate& never) -> Task<> {
    Frame frame;
    Scope scope;
    for (int i = 0; i < 5; ++i) scope.spawn(borrow_until(frame, never));
    for (int i = 0; i < 3; ++i) scope.spawn(borrow_busily(frame));
    for (int i = 0; i < 10; ++i) co_await yield_now();
  }(gate));
  EXPECT_TRUE(eventually([&] { return runtime.handle().alive_tasks() == 0; }));
}

TEST_P(ScopeTest, parent_throws) {
  auto parent = [](Gate& never) -> Task<> {
    Frame frame;
    Scope scope;
    scope.spawn(borrow_until(frame, never));
    scope.spawn(borrow_busily(frame));
    co_await yield_now();
    throw std::runtime_error("no");
  };
  EXPECT_THROW(run(parent(gate)), std::runtime_error);
}

TEST_P(ScopeTest, parent_is_aborted) {
  struct Parent {
    static Task<> run(Gate& never, std::atomic<int>& begun) {
      Frame frame;
      Scope scope;
      for (int i = 0; i < 3; ++i) scope.spawn(borrow_until(frame, never));
      for (int i = 0; i < 3; ++i) scope.spawn(borrow_busily(frame));
      begun.fetch_add(1);
      static_cast<void>(co_await scope.join());
      ADD_FAILURE() << "the children never end";
    }
  };
  constexpr int rounds = scaled(100, 20);
  for (int round = 0; round < rounds; ++round) {
    std::atomic<int> begun{0};
    auto handle = runtime.spawn(Parent::run(gate, begun));
    ASSERT_TRUE(eventually([&] { return begun.load() == 1; }));
    handle.abort();
    auto result = await_within(handle);
    ASSERT_TRUE(result);
    EXPECT_TRUE(result->error().is_cancelled());
    ASSERT_EQ(runtime.handle().alive_tasks(), 0u) << "children end before the parent";
  }
}

TEST_P(ScopeTest, parent_is_the_loser_of_a_select) {
  auto parent = [](Gate& never) -> Task<> {
    Frame frame;
    Scope scope;
    scope.spawn(borrow_until(frame, never));
    scope.spawn(borrow_busily(frame));
    static_cast<void>(co_await scope.join());
  };
  for (int round = 0; round < 30; ++round) {
    auto race = [&]() -> Task<> {
      auto late = co_await timeout(1ms, parent(gate));
      EXPECT_EQ(late.error(), Error(std::errc::timed_out));
    };
    run(race());
    EXPECT_EQ(runtime.handle().alive_tasks(), 0u);
  }
}

TEST_P(ScopeTest, parent_is_in_block_on) {
  auto parent = [](Gate& never) -> Task<> {
    Frame frame;
    Scope scope;
    scope.spawn(borrow_until(frame, never));
    scope.spawn(borrow_busily(frame));
    co_await sleep(1ms);
  };
  for (int round = 0; round < 30; ++round) runtime.block_on(parent(gate));
}

TEST_P(ScopeTest, runtime_is_shut_down) {
  struct Nested {
    static Task<> run(Gate& never, int depth) {
      Frame frame;
      Scope scope;
      scope.spawn(borrow_until(frame, never));
      scope.spawn(borrow_busily(frame));
      if (depth > 0) scope.spawn(run(never, depth - 1));
      static_cast<void>(co_await scope.join());
    }
  };
  for (int round = 0; round < scaled(20, 5); ++round) {
    Runtime other = Builder().workers(GetParam()).build().value();
    for (int i = 0; i < 3; ++i) other.spawn(Nested::run(gate, 3)).detach();
    std::this_thread::sleep_for(std::chrono::microseconds(round * 20));
  }
}

// What the destructor waits for is the rest of a poll, here one that goes on until the scope has begun to die.
TEST_P(ScopeTest, a_child_that_is_being_polled_is_waited_for) {
  std::atomic<bool> polled{false}, left{false};
  std::optional<CancellationToken> of_scope;  // written before `polled`
  auto parent = [&]() -> Task<> {
    Frame frame;
    Scope scope;
    of_scope = scope.token();
    auto busy = [&](Frame& borrowed) -> Task<> {
      const Borrow borrow(borrowed);
      polled = true;
      while (!left) std::this_thread::yield();
      co_await yield_now();
      ADD_FAILURE() << "it is polled again";
    };
    scope.spawn(busy(frame));
    while (!polled) co_await yield_now();
  };
  std::thread other([&] {
    EXPECT_TRUE(eventually([&] { return polled.load(); }));
    EXPECT_TRUE(eventually([&] { return of_scope->is_cancelled(); }));
    std::this_thread::sleep_for(10ms);
    left = true;
  });
  runtime.block_on(parent());
  EXPECT_TRUE(left) << "the child's poll had returned when the scope was gone";
  other.join();
}

TEST_P(ScopeTest, outputs_that_borrow_are_gone_with_the_scope) {
  for (int round = 0; round < scaled(100, 25); ++round) {
    run([](int yields) -> Task<> {
      Frame frame;
      Scope scope;
      auto lend = [](Frame& from, int times) -> Task<Borrow> {
        for (int i = 0; i < times; ++i) co_await yield_now();
        co_return Borrow(from);
      };
      for (int i = 0; i < 4; ++i) scope.spawn(lend(frame, i));
      auto kept = scope.spawn(lend(frame, 2));
      for (int i = 0; i < yields; ++i) co_await yield_now();
      // `kept` goes before the scope, the scope before the frame
    }(round % 8));
  }
}

TEST_P(ScopeTest, ended_children_do_not_pile_up) {
  run([]() -> Task<> {
    Scope scope;
    std::size_t most = 0;
    for (int i = 0; i < 2000; ++i) {
      auto child = scope.spawn(number(i));
      EXPECT_EQ((co_await child).value(), i);
      most = std::max(most, scope.len());
    }
    EXPECT_LE(most, 3u);
    EXPECT_TRUE((co_await scope.join()).has_value());
    EXPECT_EQ((co_await scope.spawn(number(7))).value(), 7) << "it is used on after a join";
  }());
}

TEST_P(ScopeTest, a_dropped_join_loses_nothing) {
  run([](Gate& at) -> Task<> {
    Frame frame;
    Scope scope;
    scope.spawn(borrow_until(frame, at));
    EXPECT_FALSE((co_await timeout(1ms, scope.join())).has_value());
    EXPECT_FALSE(scope.token().is_cancelled());
    at.open();
    EXPECT_TRUE((co_await scope.join()).has_value());
  }(gate));
}

// ----------------------------------------------------------------------------------------------------------- grace

TEST_P(ScopeTest, children_clean_up_within_the_grace) {
  run([]() -> Task<> {
    std::vector<std::string> log;
    Scope scope(1h);
    auto polite = [](const CancellationToken& stop, std::vector<std::string>& to) -> Task<> {
      const CancelReason reason = co_await stop.cancelled();
      co_await sleep(1ms);
      to.push_back("cleaned up: " + std::string(to_string(reason)));
    };
    scope.spawn(polite(scope.token(), log));
    co_await sleep(1ms);
    scope.cancel(CancelReason::deadline);
    EXPECT_TRUE((co_await scope.join()).has_value());
    EXPECT_EQ(log, std::vector<std::string>{"cleaned up: deadline"});
  }());
}

TEST_P(ScopeTest, children_are_ended_when_the_grace_is_over) {
  run([](Gate& never) -> Task<> {
    Frame frame;
    Scope scope(10ms);
    scope.spawn(borrow_until(frame, never));
    scope.spawn(borrow_busily(frame));
    co_await sleep(1ms);
    const Instant start = seam::now();
    scope.cancel();
    EXPECT_TRUE((co_await scope.join()).has_value());
    EXPECT_GE(seam::now() - start, 10ms);
  }(gate));
}

TEST_P(ScopeTest, a_destructor_gives_no_grace) {
  run([](Gate& never) -> Task<> {
    Frame frame;
    Scope scope(24h);
    scope.spawn(borrow_until(frame, never));
    co_await yield_now();
  }(gate));
}

INSTANTIATE_TEST_SUITE_P(workers, ScopeTest, testing::Values(1U, 2U, 4U));

}  // namespace
}  // namespace skua::tests
