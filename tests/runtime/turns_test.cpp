// Turns: one at a time, first come first served, whoever is dropped.
#include <skua/io/turns.hpp>
#include <skua/skua.hpp>

#include "../support/probe.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

namespace skua::tests {

namespace {

/// A wait that is polled by hand.
struct Waiting {
  explicit Waiting(Turns& turns) { wait.emplace(turns); }
  /// True if it is, or has been, this one's turn.
  bool has_turn() {
    if (turn || !wait) return turn.has_value();
    Poll<Turns::Turn> result = wait->poll(context);
    if (result.is_ready()) turn.emplace(std::move(result).take());
    return turn.has_value();
  }
  CountedContext context;
  std::optional<Turns::Wait> wait;
  std::optional<Turns::Turn> turn;
};

TEST(turns, are_taken_one_at_a_time_in_order) {
  Turns turns;
  Waiting one(turns), two(turns), three(turns);
  EXPECT_TRUE(one.has_turn());
  EXPECT_FALSE(two.has_turn());
  EXPECT_FALSE(three.has_turn());
  one.turn.reset();
  EXPECT_EQ(two.context.wakes(), 1);
  EXPECT_EQ(three.context.wakes(), 0);
  Waiting late(turns);
  EXPECT_FALSE(late.has_turn()) << "granted, though not yet taken";
  EXPECT_FALSE(three.has_turn());
  EXPECT_TRUE(two.has_turn());
  two.turn.reset();
  EXPECT_TRUE(three.has_turn());
  three.turn.reset();
  EXPECT_TRUE(late.has_turn());
}

TEST(turns, a_turn_given_to_a_wait_that_is_dropped_goes_on) {
  Turns turns;
  Waiting one(turns), two(turns), three(turns);
  EXPECT_TRUE(one.has_turn());
  EXPECT_FALSE(two.has_turn());
  EXPECT_FALSE(three.has_turn());
  one.turn.reset();
  two.wait.reset();
  EXPECT_EQ(three.context.wakes(), 1);
  EXPECT_TRUE(three.has_turn());
}

TEST(turns, a_wait_that_is_dropped_is_passed_over) {
  Turns turns;
  Waiting one(turns), two(turns), three(turns), four(turns);
  for (Waiting* waiting : {&one, &two, &three, &four}) waiting->has_turn();
  three.wait.reset();
  two.wait.reset();
  one.turn.reset();
  EXPECT_TRUE(four.has_turn());
  four.wait.reset();  // done with
  four.turn.reset();
  Waiting five(turns);
  EXPECT_TRUE(five.has_turn());
}

TEST(turns, many_tasks_on_several_threads) {
  Runtime runtime = Builder().workers(4).build().value();
  constexpr int tasks = 16;
  constexpr int rounds = scaled(2000, 300);
  struct Shared {
    Turns turns;
    int inside = 0;  // by whoever's turn it is
    long total = 0;
  };
  const auto shared = std::make_shared<Shared>();
  auto body = [](std::shared_ptr<Shared> state, int number) -> Task<> {
    for (int i = 0; i < rounds; ++i) {
      if ((i + number) % 5 == 0) {
        const auto turn = co_await timeout(std::chrono::nanoseconds(0), state->turns.take());
        continue;
      }
      const Turns::Turn turn = co_await state->turns.take();
      EXPECT_EQ(++state->inside, 1);
      if (i % 3 == 0) co_await yield_now();
      ++state->total;
      --state->inside;
    }
  };
  std::vector<JoinHandle<void>> handles;
  for (int i = 0; i < tasks; ++i) handles.push_back(runtime.spawn(body(shared, i)));
  for (auto& handle : handles) runtime.block_on(std::move(handle)).value();
  EXPECT_EQ(shared->total, long{tasks} * rounds * 4 / 5);
}

}  // namespace
}  // namespace skua::tests
