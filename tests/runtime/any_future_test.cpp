// AnyFuture: futures of different types in one container.
#include <skua/skua.hpp>

#include "../support/probe.hpp"
#include "../support/promise.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace skua::tests {

namespace {

Task<int> gives(Counted local, Promised<int> promised) {
  const int value = co_await promised;
  static_cast<void>(local);
  co_return value;
}
Task<int> throws(Counted local) {
  co_await yield_now();
  static_cast<void>(local);
  throw std::runtime_error("thrown");
}
/// Throws when it is polled for the second time.
class Throws {
 public:
  explicit Throws(Counted local) : local_(local) {}
  Poll<int> poll(Context&) {
    if (polls_++ == 1) throw std::runtime_error("thrown");
    return pending;
  }

 private:
  Counted local_;
  int polls_ = 0;
};

TEST(any_future, holds_futures_of_any_type) {
  Census census;
  Promise<int> promise;
  std::vector<AnyFuture<int>> futures;
  futures.push_back(gives(Counted(census), promise.future()));
  futures.push_back(ReadyWith(2));
  futures.push_back(promise.future());
  futures.push_back(race(promise.future(), promise.future()));
  CountedContext context;
  EXPECT_TRUE(futures[0].poll(context).is_pending());
  EXPECT_EQ(futures[1].poll(context).take(), 2);
  promise.keep(3);
  for (const std::size_t i : {0u, 2u, 3u}) EXPECT_EQ(futures[i].poll(context).take(), 3);
  EXPECT_EQ(census.alive(), 0) << "one that is ready is destroyed";
  EXPECT_FALSE(promise.is_awaited());
}

TEST(any_future, may_be_moved_between_polls) {
  Census census;
  Promise<int> promise;
  AnyFuture<int> task = gives(Counted(census), promise.future());
  AnyFuture<int> future = race(promise.future(), promise.future());
  CountedContext context;
  EXPECT_TRUE(task.poll(context).is_pending());
  EXPECT_TRUE(future.poll(context).is_pending());
  std::swap(task, future);
  promise.keep(1);
  EXPECT_EQ(task.poll(context).take(), 1);
  EXPECT_EQ(future.poll(context).take(), 1);
}

TEST(any_future, dropping_it_cancels) {
  Census census;
  Promise<int> promise;
  CountedContext context;
  {
    AnyFuture<int> task = gives(Counted(census), promise.future());
    EXPECT_TRUE(task.poll(context).is_pending());
    AnyFuture<int> never_polled = gives(Counted(census), promise.future());
    AnyFuture<int> future = promise.future();
    EXPECT_TRUE(promise.is_awaited());
  }
  EXPECT_FALSE(promise.is_awaited());
  EXPECT_EQ(census.alive(), 0);
}

TEST(any_future, one_that_throws_is_destroyed) {
  Census census;
  CountedContext context;
  std::vector<AnyFuture<int>> futures;
  futures.push_back(throws(Counted(census)));
  futures.push_back(Throws(Counted(census)));
  for (auto& future : futures) {
    EXPECT_TRUE(future.poll(context).is_pending());
    EXPECT_THROW(static_cast<void>(future.poll(context)), std::runtime_error);
  }
  EXPECT_EQ(census.alive(), 0);
}

TEST(any_future, of_void_and_deduced) {
  const auto nothing = []() -> Task<> { co_return; };
  AnyFuture done(nothing());
  static_assert(std::is_same_v<decltype(done), AnyFuture<void>>);
  static_assert(sizeof(done) == 2 * sizeof(void*));
  CountedContext context;
  EXPECT_TRUE(done.poll(context).is_ready());
}

}  // namespace
}  // namespace skua::tests
