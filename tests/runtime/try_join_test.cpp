// try_join(), polled by hand.
#include <skua/skua.hpp>

#include "../support/probe.hpp"
#include "../support/promise.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace skua::tests {

namespace {

Error refused() { return Error(std::make_error_code(std::errc::connection_refused), "connect"); }

TEST(try_join, values_come_in_order_when_all_are_there) {
  Promise<Result<int>> number;
  Promise<Result<std::unique_ptr<int>>> owned;
  Promise<Result<void>> nothing;
  auto all = try_join(number.future(), owned.future(), nothing.future());
  CountedContext context;
  EXPECT_TRUE(all.poll(context).is_pending());
  nothing.keep({});
  owned.keep(std::make_unique<int>(2));
  EXPECT_EQ(context.wakes(), 2);
  EXPECT_TRUE(all.poll(context).is_pending());
  number.keep(1);
  auto ready = all.poll(context);
  ASSERT_TRUE(ready.is_ready());
  auto [first, second, third] = std::move(ready.value()).value();
  EXPECT_EQ(first, 1);
  EXPECT_EQ(*second, 2);
  static_assert(std::is_same_v<decltype(third), std::monostate>);
}

TEST(try_join, the_first_error_ends_it_while_others_wait) {
  Promise<Result<int>> waits;
  Promise<Result<int>> fails;
  {
    auto all = try_join(waits.future(), fails.future());
    CountedContext context;
    EXPECT_TRUE(all.poll(context).is_pending());
    fails.keep(refused());
    auto ready = all.poll(context);
    ASSERT_TRUE(ready.is_ready());
    EXPECT_EQ(ready.value().error(), std::errc::connection_refused);
    EXPECT_TRUE(waits.is_awaited()) << "cancelled with the object, not before";
  }
  EXPECT_FALSE(waits.is_awaited());
}

TEST(try_join, nothing_is_polled_once_one_has_failed) {
  Promise<Result<int>> fails;
  Promise<Result<int>> never;
  fails.keep(refused());
  auto all = try_join(fails.future(), never.future());
  CountedContext context;
  ASSERT_TRUE(all.poll(context).is_ready());
  EXPECT_EQ(never.polls(), 0);
}

TEST(try_join, what_is_ready_is_not_polled_again) {
  Promise<Result<int>> early;
  Promise<Result<int>> late;
  early.keep(1);
  auto all = try_join(early.future(), late.future());
  CountedContext context;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(all.poll(context).is_pending());
  EXPECT_EQ(early.polls(), 1);
  EXPECT_EQ(late.polls(), 3);
}

TEST(try_join, a_borrowed_future_can_be_awaited_afterwards) {
  Promise<Result<int>> borrowed;
  Promise<Result<int>> fails;
  auto future = borrowed.future();
  CountedContext context;
  {
    auto all = try_join(future, fails.future());
    EXPECT_TRUE(all.poll(context).is_pending());
    fails.keep(refused());
    EXPECT_TRUE(all.poll(context).is_ready());
  }
  borrowed.keep(7);
  auto result = future.poll(context);
  ASSERT_TRUE(result.is_ready());
  EXPECT_EQ(result.value().value(), 7);
}

}  // namespace
}  // namespace skua::tests
