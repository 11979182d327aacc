// Streams and their adaptors without a clock, polled by hand. (Those of byte streams: stream_test.cpp.)
#include <skua/skua.hpp>
#include <skua/streams.hpp>

#include "../support/poll_stream.hpp"
#include "../support/probe.hpp"
#include "../support/promise.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace skua::tests {

namespace {

constexpr bool is_even(int n) { return n % 2 == 0; }
constexpr int twice(int n) { return 2 * n; }
Error refused() { return Error(std::errc::connection_refused, "connect"); }

/// Always ready, with ever the same; takes no budget.
class Endless {
 public:
  PollNext<int> poll_next(Context&) { return PollNext<int>(1); }
};

TEST(stream, from_moves_out_of_what_it_owns_and_copies_what_it_borrows) {
  std::vector<std::unique_ptr<int>> owned;
  owned.push_back(std::make_unique<int>(1));
  EXPECT_EQ(*all_of(stream::from(std::move(owned))).front(), 1);
  std::vector<std::string> lent{"first of the lent strings"};
  EXPECT_EQ(all_of(stream::from(lent)), lent);
  EXPECT_EQ(all_of(stream::from(std::span(lent))), lent);
  EXPECT_EQ(lent.front(), "first of the lent strings") << "a span's elements are somebody else's";
  EXPECT_EQ(all_of(stream::from(std::views::iota(1, 4))), (std::vector{1, 2, 3}));
}

TEST(stream, next_lends_the_stream) {
  auto numbers = stream::from(std::vector{1, 2});
  CountedContext context;
  EXPECT_EQ(next(numbers).poll(context).take(), 1);
  EXPECT_EQ(next(numbers).poll(context).take(), 2);
  EXPECT_EQ(next(numbers).poll(context).take(), std::nullopt);
}

TEST(stream, a_pipe_moves_a_temporary_and_borrows_an_lvalue) {
  auto numbers = stream::from(std::vector{1, 2, 3, 4});
  CountedContext context;
  {
    auto firsts = numbers | stream::take(2) | stream::map(twice);
    EXPECT_EQ(item_of(firsts, context), 2);
  }
  EXPECT_EQ(all_of(std::move(numbers)), (std::vector{2, 3, 4}));
}

TEST(stream, adaptors_compose) {
  auto quadrupled_evens = stream::filter(is_even) | stream::map(twice) | stream::map(twice);
  EXPECT_EQ(all_of(stream::from(std::views::iota(0, 5)) | quadrupled_evens), (std::vector{0, 8, 16}));
  auto whole = quadrupled_evens | stream::collect();
  CountedContext context;
  EXPECT_EQ((stream::from(std::vector{2}) | std::move(whole)).poll(context).take(), std::vector{8});
}

TEST(stream, map_filter_filter_map_scan) {
  const auto numbers = [] { return stream::from(std::views::iota(0, 6)); };
  EXPECT_EQ(all_of(numbers() | stream::map(twice)), (std::vector{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(all_of(numbers() | stream::filter(is_even)), (std::vector{0, 2, 4}));
  const auto halves = [](int n) { return is_even(n) ? std::optional(std::to_string(n / 2)) : std::nullopt; };
  EXPECT_EQ(all_of(numbers() | stream::filter_map(halves)), (std::vector<std::string>{"0", "1", "2"}));
  const auto sums = [](int& sum, int n) { return (sum += n) > 6 ? std::nullopt : std::optional(sum); };
  EXPECT_EQ(all_of(numbers() | stream::scan(0, sums)), (std::vector{0, 1, 3, 6}));
}

TEST(stream, take_take_while_skip_enumerate) {
  const auto numbers = [] { return stream::from(std::views::iota(0, 6)); };
  EXPECT_EQ(all_of(numbers() | stream::take(2)), (std::vector{0, 1}));
  EXPECT_EQ(all_of(numbers() | stream::take(0)), std::vector<int>());
  EXPECT_EQ(all_of(numbers() | stream::take(9)).size(), 6u);
  EXPECT_EQ(all_of(numbers() | stream::take_while([](int n) { return n < 3; })), (std::vector{0, 1, 2}));
  EXPECT_EQ(all_of(numbers() | stream::skip(4)), (std::vector{4, 5}));
  EXPECT_EQ(all_of(numbers() | stream::skip(9)), std::vector<int>());
  const auto numbered = all_of(stream::from(std::vector<std::string>{"a", "b"}) | stream::enumerate());
  EXPECT_EQ(numbered, (std::vector<std::pair<std::size_t, std::string>>{{0, "a"}, {1, "b"}}));
}

TEST(stream, take_does_not_ask_for_more_than_it_gives) {
  Feed<int> feed;
  feed.put(1, 2);
  auto first = feed.stream() | stream::take(1);
  CountedContext context;
  EXPECT_EQ(item_of(first, context), 1);
  EXPECT_TRUE(has_ended(first, context));
  EXPECT_EQ(feed.polls(), 1);
}

TEST(stream, chain_polls_the_second_when_the_first_has_ended) {
  Feed<int> first;
  Feed<int> second;
  second.put(2);
  auto both = stream::chain(first.stream(), second.stream());
  CountedContext context;
  EXPECT_TRUE(is_pending(both, context));
  EXPECT_EQ(second.polls(), 0);
  first.put(1);
  EXPECT_EQ(item_of(both, context), 1);
  first.end();
  EXPECT_EQ(item_of(both, context), 2);
  EXPECT_TRUE(is_pending(both, context));
  second.end();
  EXPECT_TRUE(has_ended(both, context));
}

TEST(stream, zip_asks_both_at_the_same_time_and_ends_with_the_shorter) {
  Feed<int> numbers;
  Feed<std::string> names;
  auto pairs = stream::zip(numbers.stream(), names.stream());
  CountedContext context;
  EXPECT_TRUE(is_pending(pairs, context));
  names.put("a");
  EXPECT_TRUE(is_pending(pairs, context));
  EXPECT_EQ(names.left(), 0u);
  numbers.put(1);
  EXPECT_EQ(item_of(pairs, context), std::pair(1, std::string("a")));
  names.end();
  EXPECT_TRUE(has_ended(pairs, context)) << "though the other one is pending";
}

TEST(stream, zip_keeps_an_item_while_next_is_dropped) {
  Feed<int> left;
  Feed<int> right;
  auto pairs = stream::zip(left.stream(), right.stream());
  CountedContext context;
  left.put(1);
  EXPECT_TRUE(next(pairs).poll(context).is_pending());
  right.put(2);
  EXPECT_EQ(next(pairs).poll(context).take(), std::pair(1, 2));
}

TEST(stream, merge_gives_items_as_they_come_until_all_have_ended) {
  Feed<int> one;
  Feed<int> two;
  auto both = stream::merge(one.stream(), two.stream());
  CountedContext context;
  EXPECT_TRUE(is_pending(both, context));
  two.put(2);
  EXPECT_EQ(context.wakes(), 1);
  EXPECT_EQ(item_of(both, context), 2);
  one.end();
  EXPECT_TRUE(is_pending(both, context));
  EXPECT_TRUE(is_pending(both, context));
  two.put(3);
  EXPECT_EQ(item_of(both, context), 3);
  two.end();
  EXPECT_TRUE(has_ended(both, context));
}

TEST(stream, merge_is_fair) {
  auto both = stream::merge(stream::repeat([] { return ReadyWith(0); }), stream::repeat([] { return ReadyWith(1); }));
  CountedContext context;
  int ones = 0;
  for (int i = 0; i < 400; ++i) ones += *item_of(both, context);
  EXPECT_GT(ones, 100);
  EXPECT_LT(ones, 300);
}

TEST(stream, chunks_are_full_but_for_the_last) {
  const auto chunks = all_of(stream::from(std::views::iota(0, 5)) | stream::chunks(2));
  EXPECT_EQ(chunks, (std::vector<std::vector<int>>{{0, 1}, {2, 3}, {4}}));
  EXPECT_TRUE(all_of(stream::from(std::vector<int>()) | stream::chunks(2)).empty());
}

TEST(stream, chunks_keep_what_they_have_begun_while_next_is_dropped) {
  Feed<int> feed;
  feed.put(1);
  auto pairs = feed.stream() | stream::chunks(2);
  CountedContext context;
  EXPECT_TRUE(next(pairs).poll(context).is_pending());
  feed.put(2);
  EXPECT_EQ(next(pairs).poll(context).take(), (std::vector{1, 2}));
  feed.end();
  EXPECT_TRUE(has_ended(pairs, context));
}

TEST(stream, chunks_of_0_end_the_program) {
  EXPECT_DEATH(static_cast<void>(stream::from(std::vector{1}) | stream::chunks(0)),
               "chunks\\(\\) was given a size of 0");
}

TEST(stream, then_awaits_one_future_after_the_other) {
  Promise<int> promises[2];
  Feed<int> feed;
  feed.put(0, 1);
  auto outputs = feed.stream() | stream::then([&](int n) { return promises[n].future(); });
  CountedContext context;
  EXPECT_TRUE(next(outputs).poll(context).is_pending());
  EXPECT_EQ(feed.left(), 1u) << "the second is not begun";
  promises[0].keep(10);  // the future was not lost with next()
  promises[1].keep(11);
  EXPECT_EQ(item_of(outputs, context), 10);
  EXPECT_EQ(item_of(outputs, context), 11);
  EXPECT_FALSE(promises[1].is_awaited());
  feed.end();
  EXPECT_TRUE(has_ended(outputs, context));
}

TEST(stream, an_exception_loses_its_item_alone) {
  const auto reject = [](int n) -> Task<int> {
    if (n == 1) throw std::runtime_error("thrown");
    co_return n;
  };
  CountedContext context;
  auto awaited = stream::from(std::vector{0, 1, 2}) | stream::then(reject);
  EXPECT_EQ(item_of(awaited, context), 0);
  EXPECT_THROW(item_of(awaited, context), std::runtime_error);
  EXPECT_EQ(item_of(awaited, context), 2);
  EXPECT_TRUE(has_ended(awaited, context));
  auto buffered = stream::from(std::vector{0, 1, 2}) | stream::map(reject) | stream::buffered(2);
  EXPECT_EQ(item_of(buffered, context), 0);
  EXPECT_THROW(item_of(buffered, context), std::runtime_error);
  EXPECT_EQ(item_of(buffered, context), 2);
  EXPECT_TRUE(has_ended(buffered, context));
}

TEST(stream, fold_collect_and_for_each) {
  CountedContext context;
  const auto numbers = [] { return stream::from(std::vector{3, 1, 2, 3}); };
  EXPECT_EQ((numbers() | stream::fold(1, std::plus<>())).poll(context).take(), 10);
  EXPECT_EQ((numbers() | stream::collect<std::set<int>>()).poll(context).take(), (std::set{1, 2, 3}));
  std::vector<int> seen;
  EXPECT_TRUE((numbers() | stream::for_each([&](int n) { seen.push_back(n); })).poll(context).is_ready());
  EXPECT_EQ(seen, (std::vector{3, 1, 2, 3}));
}

TEST(stream, for_each_awaits_what_the_function_returns) {
  Promise<int> promises[2];
  CountedContext context;
  auto done = stream::from(std::vector{0, 1}) | stream::for_each([&](int n) { return promises[n].future(); });
  EXPECT_TRUE(done.poll(context).is_pending());
  EXPECT_FALSE(promises[1].is_awaited());
  promises[0].keep(0);
  EXPECT_TRUE(done.poll(context).is_pending());
  EXPECT_TRUE(promises[1].is_awaited());
  promises[1].keep(0);
  EXPECT_TRUE(done.poll(context).is_ready());
}

TEST(stream, try_collect_and_try_for_each_end_with_the_first_error) {
  CountedContext context;
  const auto check = [](int n) { return n == 2 ? Result<int>(refused()) : Result<int>(n); };
  const auto checked = [&](int end) { return stream::from(std::views::iota(0, end)) | stream::map(check); };
  EXPECT_EQ((checked(2) | stream::try_collect()).poll(context).take().value(), (std::vector{0, 1}));
  EXPECT_EQ((checked(9) | stream::try_collect()).poll(context).take().error(), std::errc::connection_refused);
  int last = -1;
  const auto see = [&](int n) -> Task<Result<void>> {
    last = n;
    if (n == 2) co_return refused();
    co_return {};
  };
  EXPECT_TRUE((stream::from(std::vector{0, 1}) | stream::try_for_each(see)).poll(context).take());
  EXPECT_FALSE((stream::from(std::vector{0, 2, 3}) | stream::try_for_each(see)).poll(context).take());
  EXPECT_EQ(last, 2);
}

TEST(stream, a_consumer_that_is_dropped_leaves_a_borrowed_stream) {
  Feed<int> feed;
  feed.put(1, 2);
  auto numbers = feed.stream();
  CountedContext context;
  {
    EXPECT_TRUE((numbers | stream::collect()).poll(context).is_pending());
  }
  feed.put(3);
  EXPECT_EQ(next(numbers).poll(context).take(), 3) << "what it had collected went with it, no more";
}

TEST(stream, repeat_keeps_the_future_that_is_begun) {
  std::vector<Promise<int>> promises(2);
  std::size_t made = 0;
  auto outputs = stream::repeat([&] { return promises[made++].future(); });
  CountedContext context;
  EXPECT_TRUE(next(outputs).poll(context).is_pending());
  promises[0].keep(1);
  EXPECT_EQ(next(outputs).poll(context).take(), 1);
  EXPECT_EQ(made, 1u);
}

// With a source that takes no budget and never ends, each loop of the library must give way.
template <class Poll>
void expect_to_give_way(Poll poll) {
  CountedContext context;
  const budget::Grant grant(budget::per_poll);
  EXPECT_TRUE(poll(context.get()));
  EXPECT_GE(context.wakes(), 1) << "woken to go on";
}

TEST(stream, loops_over_what_is_always_ready_give_way) {
  const auto nothing = [](int) { return false; };
  const auto none = [](int) -> std::optional<int> { return std::nullopt; };
  auto filter = Endless() | stream::filter(nothing);
  expect_to_give_way([&](Context& context) { return filter.poll_next(context).is_pending(); });
  auto filter_map = Endless() | stream::filter_map(none);
  expect_to_give_way([&](Context& context) { return filter_map.poll_next(context).is_pending(); });
  auto skip = Endless() | stream::skip(1'000'000'000);
  expect_to_give_way([&](Context& context) { return skip.poll_next(context).is_pending(); });
  auto chunks = Endless() | stream::chunks(1'000'000'000);
  expect_to_give_way([&](Context& context) { return chunks.poll_next(context).is_pending(); });
  auto fold = Endless() | stream::fold(0, [](int, int n) { return n; });
  expect_to_give_way([&](Context& context) { return fold.poll(context).is_pending(); });
  auto collect = Endless() | stream::collect();
  expect_to_give_way([&](Context& context) { return collect.poll(context).is_pending(); });
  auto for_each = Endless() | stream::for_each([](int) {});
  expect_to_give_way([&](Context& context) { return for_each.poll(context).is_pending(); });
  const auto at_once = [](int) { return ReadyWith(1); };
  auto concurrent = Endless() | stream::for_each_concurrent(8, at_once);
  expect_to_give_way([&](Context& context) { return concurrent.poll(context).is_pending(); });
  auto endless = stream::from(std::views::iota(0));
  expect_to_give_way([&](Context& context) {
    while (endless.poll_next(context).is_ready()) continue;
    return true;
  });
}

}  // namespace
}  // namespace skua::tests
