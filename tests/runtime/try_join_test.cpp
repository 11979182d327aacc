// try_join(), polled by hand.
#include <skua/skua.hpp>

#include "../support/probe.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace skua::tests {

namespace {

/// A future that ends when it is told to; counts how often it was polled, and knows whether it still lives.
template <class T>
class Promised {
 public:
  struct State {
    std::optional<Result<T>> result;
    std::optional<Waker> waker;
    int polls = 0;
  };
  explicit Promised(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}

  Poll<Result<T>> poll(Context& context) {
    ++state_->polls;
    if (state_->result) return *std::move(state_->result);
    state_->waker = context.waker();
    return pending;
  }

 private:
  std::shared_ptr<State> state_;
};

template <class T>
struct Promise {
  Promised<T> future() { return Promised<T>(state); }
  void end(Result<T> result) {
    state->result = std::move(result);
    if (state->waker) state->waker->wake_by_ref();
  }
  bool is_awaited() const { return state.use_count() > 1; }
  int polls() const { return state->polls; }
  std::shared_ptr<typename Promised<T>::State> state = std::make_shared<typename Promised<T>::State>();
};

Error refused() { return Error(std::make_error_code(std::errc::connection_refused), "connect"); }

TEST(try_join, values_come_in_order_when_all_are_there) {
  Promise<int> number;
  Promise<std::unique_ptr<int>> owned;
  Promise<void> nothing;
  auto all = try_join(number.future(), owned.future(), nothing.future());
  CountedContext context;
  EXPECT_TRUE(all.poll(context).is_pending());
  nothing.end({});
  owned.end(std::make_unique<int>(2));
  EXPECT_EQ(context.wakes(), 2);
  EXPECT_TRUE(all.poll(context).is_pending());
  number.end(1);
  auto ready = all.poll(context);
  ASSERT_TRUE(ready.is_ready());
  auto [first, second, third] = std::move(ready.value()).value();
  EXPECT_EQ(first, 1);
  EXPECT_EQ(*second, 2);
  static_assert(std::is_same_v<decltype(third), std::monostate>);
}

TEST(try_join, the_first_error_ends_it_while_others_wait) {
  Promise<int> waits;
  Promise<int> fails;
  {
    auto all = try_join(waits.future(), fails.future());
    CountedContext context;
    EXPECT_TRUE(all.poll(context).is_pending());
    fails.end(refused());
    auto ready = all.poll(context);
    ASSERT_TRUE(ready.is_ready());
    EXPECT_EQ(ready.value().error(), std::errc::connection_refused);
    EXPECT_TRUE(waits.is_awaited()) << "cancelled with the object, not before";
  }
  EXPECT_FALSE(waits.is_awaited());
}

TEST(try_join, nothing_is_polled_once_one_has_failed) {
  Promise<int> fails;
  Promise<int> never;
  fails.end(refused());
  auto all = try_join(fails.future(), never.future());
  CountedContext context;
  ASSERT_TRUE(all.poll(context).is_ready());
  EXPECT_EQ(never.polls(), 0);
}

TEST(try_join, what_is_ready_is_not_polled_again) {
  Promise<int> early;
  Promise<int> late;
  early.end(1);
  auto all = try_join(early.future(), late.future());
  CountedContext context;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(all.poll(context).is_pending());
  EXPECT_EQ(early.polls(), 1);
  EXPECT_EQ(late.polls(), 3);
}

TEST(try_join, a_borrowed_future_can_be_awaited_afterwards) {
  Promise<int> borrowed;
  Promise<int> fails;
  auto future = borrowed.future();
  CountedContext context;
  {
    auto all = try_join(future, fails.future());
    EXPECT_TRUE(all.poll(context).is_pending());
    fails.end(refused());
    EXPECT_TRUE(all.poll(context).is_ready());
  }
  borrowed.end(7);
  auto result = future.poll(context);
  ASSERT_TRUE(result.is_ready());
  EXPECT_EQ(result.value().value(), 7);
}

}  // namespace
}  // namespace skua::tests
