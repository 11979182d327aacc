// buffered(), buffer_unordered() and for_each_concurrent(), polled by hand.
#include <skua/skua.hpp>
#include <skua/streams.hpp>

#include "../support/poll_stream.hpp"
#include "../support/probe.hpp"
#include "../support/promise.hpp"

#include <gtest/gtest.h>

#include <ranges>
#include <system_error>
#include <vector>

namespace skua::tests {

namespace {

Error refused() { return Error(std::errc::connection_refused, "connect"); }

TEST(stream, buffered_runs_so_many_and_keeps_the_order) {
  std::vector<Promise<int>> promises(4);
  auto outputs = stream::from(std::views::iota(0, 4)) |
                 stream::map([&](int n) { return promises[static_cast<std::size_t>(n)].future(); }) |
                 stream::buffered(2);
  CountedContext context;
  EXPECT_TRUE(is_pending(outputs, context));
  EXPECT_TRUE(promises[1].is_awaited());
  EXPECT_FALSE(promises[2].is_awaited());
  promises[1].keep(1);
  EXPECT_TRUE(is_pending(outputs, context));
  EXPECT_FALSE(promises[2].is_awaited()) << "an output that waits for its turn takes a place";
  for (const std::size_t i : {0u, 2u, 3u}) promises[i].keep(static_cast<int>(i));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(item_of(outputs, context), i);
  EXPECT_TRUE(has_ended(outputs, context));
}

TEST(stream, buffer_unordered_gives_what_is_ready_first) {
  std::vector<Promise<int>> promises(3);
  auto outputs = stream::from(std::views::iota(0, 3)) |
                 stream::map([&](int n) { return promises[static_cast<std::size_t>(n)].future(); }) |
                 stream::buffer_unordered(2);
  CountedContext context;
  EXPECT_TRUE(next(outputs).poll(context).is_pending());
  promises[1].keep(1);
  EXPECT_EQ(item_of(outputs, context), 1);
  EXPECT_TRUE(next(outputs).poll(context).is_pending());
  promises[2].keep(2);
  EXPECT_EQ(item_of(outputs, context), 2);
  promises[0].keep(0);
  EXPECT_EQ(item_of(outputs, context), 0);
  EXPECT_TRUE(has_ended(outputs, context));
}

TEST(stream, buffered_waits_for_its_source_when_nothing_runs) {
  Feed<ReadyWith<int>> feed;
  auto outputs = feed.stream() | stream::buffered(3);
  CountedContext context;
  EXPECT_TRUE(is_pending(outputs, context));
  feed.put(ReadyWith(1));
  EXPECT_EQ(context.wakes(), 1);
  EXPECT_EQ(item_of(outputs, context), 1);
  EXPECT_TRUE(is_pending(outputs, context));
  feed.end();
  EXPECT_TRUE(has_ended(outputs, context));
}

TEST(stream, for_each_concurrent_keeps_its_limit_and_waits_for_all) {
  std::vector<Promise<Result<void>>> promises(3);
  const auto begin = [&](int n) { return promises[static_cast<std::size_t>(n)].future(); };
  CountedContext context;
  {
    auto done = stream::from(std::views::iota(0, 3)) | stream::for_each_concurrent(2, begin);
    EXPECT_TRUE(done.poll(context).is_pending());
    EXPECT_FALSE(promises[2].is_awaited());
    promises[1].keep({});
    EXPECT_TRUE(done.poll(context).is_pending());
    EXPECT_TRUE(promises[2].is_awaited());
    promises[0].keep({});
    promises[2].keep({});
    EXPECT_TRUE(done.poll(context).is_ready());
  }
  promises = std::vector<Promise<Result<void>>>(3);
  {
    auto done = stream::from(std::views::iota(0, 3)) | stream::try_for_each_concurrent(3, begin);
    EXPECT_TRUE(done.poll(context).is_pending());
    promises[1].keep(refused());
    EXPECT_EQ(done.poll(context).take().error(), std::errc::connection_refused);
  }
  EXPECT_FALSE(promises[0].is_awaited());
}

}  // namespace
}  // namespace skua::tests
