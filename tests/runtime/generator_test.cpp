// Generator: co_yield and co_await in one coroutine.
#include <skua/skua.hpp>
#include <skua/streams.hpp>

#include "../support/probe.hpp"
#include "../support/promise.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace skua::tests {

namespace {

Generator<int> count_to(int last) {
  for (int i = 1; i <= last; ++i) co_yield i;
}

TEST(generator, gives_its_items_and_ends) {
  auto numbers = count_to(3);
  CountedContext context;
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(next(numbers).poll(context).take(), i);
  EXPECT_EQ(next(numbers).poll(context).take(), std::nullopt);
  EXPECT_EQ(next(numbers).poll(context).take(), std::nullopt) << "also if it is asked again";
  EXPECT_EQ(context.wakes(), 0);
}

TEST(generator, does_nothing_before_it_is_polled_and_no_more_than_asked) {
  int runs = 0;
  const auto counting = [](int& count) -> Generator<int> {
    for (;;) co_yield ++count;
  };
  auto numbers = counting(runs);
  EXPECT_EQ(runs, 0);
  CountedContext context;
  EXPECT_EQ(next(numbers).poll(context).take(), 1);
  EXPECT_EQ(runs, 1);
}

Task<int> through(Promised<int> promised) { co_return co_await promised; }

Generator<int> sums(Feed<int>& feed, Promise<int>& promise) {
  auto numbers = feed.stream();
  int sum = co_await through(promise.future());
  co_yield sum;
  while (const std::optional<int> number = co_await next(numbers)) {
    sum += *number;
    co_yield sum;
  }
}

TEST(generator, awaits_between_items) {
  Feed<int> feed;
  Promise<int> promise;
  auto stream = sums(feed, promise);
  CountedContext context;
  EXPECT_TRUE(stream.poll_next(context).is_pending());
  EXPECT_TRUE(stream.poll_next(context).is_pending());
  promise.keep(10);
  EXPECT_EQ(context.wakes(), 1);
  EXPECT_EQ(stream.poll_next(context).take(), 10);
  EXPECT_TRUE(stream.poll_next(context).is_pending());
  feed.put(1, 2);
  EXPECT_EQ(stream.poll_next(context).take(), 11);
  EXPECT_EQ(stream.poll_next(context).take(), 13);
  feed.end();
  EXPECT_EQ(stream.poll_next(context).take(), std::nullopt);
}

TEST(generator, dropping_next_loses_no_item) {
  Feed<int> feed;
  Promise<int> promise;
  auto stream = sums(feed, promise);
  CountedContext context;
  EXPECT_TRUE(next(stream).poll(context).is_pending());
  promise.keep(1);
  EXPECT_EQ(next(stream).poll(context).take(), 1);
}

TEST(generator, is_cancelled_at_any_suspension_point) {
  Census census;
  Promise<int> promise;
  const auto body = [](Census& counts, Promise<int>& awaited) -> Generator<int> {
    const Counted outer(counts);
    co_yield 1;
    const Counted inner(counts);
    co_yield co_await through(awaited.future());
  };
  CountedContext context;
  {
    auto never_polled = body(census, promise);
  }
  EXPECT_EQ(census.made, 0);
  {
    auto at_yield = body(census, promise);
    EXPECT_EQ(at_yield.poll_next(context).take(), 1);
    EXPECT_EQ(census.alive(), 1);
  }
  EXPECT_EQ(census.alive(), 0);
  {
    auto at_await = body(census, promise);
    EXPECT_EQ(at_await.poll_next(context).take(), 1);
    EXPECT_TRUE(at_await.poll_next(context).is_pending());
    EXPECT_EQ(census.alive(), 2);
    EXPECT_TRUE(promise.is_awaited());
  }
  EXPECT_EQ(census.alive(), 0);
  EXPECT_FALSE(promise.is_awaited());
}

TEST(generator, its_locals_end_with_it) {
  Census census;
  const auto body = [](Census& counts) -> Generator<std::unique_ptr<int>> {
    const Counted local(counts);
    co_yield std::make_unique<int>(1);
  };
  auto stream = body(census);
  CountedContext context;
  EXPECT_EQ(*stream.poll_next(context).take().value(), 1);
  EXPECT_EQ(stream.poll_next(context).take(), std::nullopt);
  EXPECT_EQ(census.alive(), 0);
  EXPECT_EQ(census.made, 1);
}

TEST(generator, an_exception_reaches_the_consumer_and_ends_the_stream) {
  Promise<int> promise;
  const auto body = [](Promise<int>& awaited) -> Generator<int> {
    co_yield 1;
    if (co_await through(awaited.future()) == 0) throw std::runtime_error("thrown");
  };
  const auto consume = [](Generator<int> stream, std::string& caught) -> Task<int> {
    int items = 0;
    try {
      while (co_await next(stream)) ++items;
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
    if (co_await next(stream)) items = -1;
    co_return items;
  };
  std::string caught;
  auto task = consume(body(promise), caught);
  CountedContext context;
  EXPECT_TRUE(task.poll(context).is_pending());
  promise.keep(0);
  EXPECT_EQ(task.poll(context).take(), 1);
  EXPECT_EQ(caught, "thrown");
}

TEST(generator, may_be_moved_between_polls) {
  auto stream = count_to(2);
  CountedContext context;
  EXPECT_EQ(stream.poll_next(context).take(), 1);
  auto moved = std::move(stream);
  EXPECT_EQ(moved.poll_next(context).take(), 2);
  EXPECT_EQ(moved.poll_next(context).take(), std::nullopt);
}

TEST(generator, a_long_one_needs_no_stack) {
  CountedContext context;
  auto sum = count_to(200'000) | stream::fold(0L, [](long total, int n) { return total + n; });
  EXPECT_EQ(sum.poll(context).take(), 200'000L * 200'001 / 2);
}

TEST(generator, one_of_another) {
  const auto doubled = [](Generator<int> source) -> Generator<int> {
    while (const auto item = co_await next(source)) co_yield 2 * *item;
  };
  auto stream = doubled(doubled(count_to(2)));
  CountedContext context;
  EXPECT_EQ(stream.poll_next(context).take(), 4);
  EXPECT_EQ(stream.poll_next(context).take(), 8);
  EXPECT_EQ(stream.poll_next(context).take(), std::nullopt);
}

TEST(generator, one_that_never_waits_gives_way) {
  auto stream = count_to(1'000'000);
  CountedContext context;
  const budget::Grant grant(budget::per_poll);
  std::uint32_t items = 0;
  while (stream.poll_next(context).is_ready()) ASSERT_LE(++items, budget::per_poll);
  EXPECT_EQ(items, budget::per_poll);
  EXPECT_EQ(context.wakes(), 1);
}

}  // namespace
}  // namespace skua::tests
