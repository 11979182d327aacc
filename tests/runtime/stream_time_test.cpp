// The adaptors that look at the clock, ticks(), and retry(): on a runtime, with short times and no upper bounds.
#include <skua/streams.hpp>

#include "each_runtime.hpp"

#include "../support/promise.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <ranges>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

using stream_time = EachRuntime;
INSTANTIATE_TEST_SUITE_P(all, stream_time, each_setup);

/// Numbers, with a pause before each.
Generator<int> slowly(std::vector<Duration> pauses) {
  int number = 0;
  for (const Duration pause : pauses) {
    co_await sleep(pause);
    co_yield number++;
  }
}

TEST_P(stream_time, throttle_keeps_items_apart) {
  const auto body = []() -> Task<std::vector<Instant>> {
    const auto stamp = [](int) { return now(); };
    co_return co_await (stream::from(std::views::iota(0, 3)) | stream::throttle(5ms) | stream::map(stamp) |
                        stream::collect());
  };
  const Instant start = now();
  const auto times = run(body());
  ASSERT_EQ(times.size(), 3u);
  EXPECT_GE(times[1] - start, 5ms);
  EXPECT_GE(times[2] - start, 10ms);
}

TEST_P(stream_time, throttle_leaves_the_source_alone_in_the_pause) {
  const auto body = []() -> Task<int> {
    Feed<int> feed;
    feed.put(1, 2);
    auto items = feed.stream() | stream::throttle(1h);
    co_await next(items);
    EXPECT_EQ((co_await poll_once(next(items))), std::nullopt);
    co_return feed.polls();
  };
  EXPECT_EQ(run(body()), 1);
}

TEST_P(stream_time, timeout_says_once_that_an_item_is_late_and_goes_on) {
  const auto body = []() -> Task<> {
    Feed<int> feed;
    auto items = feed.stream() | stream::timeout(2ms);
    feed.put(1);
    EXPECT_EQ((co_await next(items)).value().value(), 1);
    const auto late = co_await next(items);
    EXPECT_EQ(late.value().error(), std::errc::timed_out);
    auto again = co_await poll_once(select(next(items), Promise<int>().future()));
    EXPECT_FALSE(again) << "said once";
    co_await sleep(4ms);
    again = co_await poll_once(select(next(items), Promise<int>().future()));
    EXPECT_FALSE(again) << "said once";
    feed.put(2);
    EXPECT_EQ((co_await next(items)).value().value(), 2);
    EXPECT_EQ((co_await next(items)).value().error(), std::errc::timed_out) << "of the next one too";
    feed.end();
    EXPECT_FALSE(co_await next(items));
  };
  run(body());
}

TEST_P(stream_time, timeout_does_not_call_late_what_is_there) {
  const auto body = []() -> Task<> {
    auto items = stream::from(std::vector{1, 2}) | stream::timeout(0ns);
    EXPECT_EQ((co_await next(items)).value().value(), 1);
    EXPECT_EQ((co_await next(items)).value().value(), 2);
  };
  run(body());
}

TEST_P(stream_time, debounce_gives_the_last_of_a_burst) {
  const auto body = []() -> Task<> {
    Feed<int> feed;
    auto items = feed.stream() | stream::debounce(5ms);
    feed.put(1, 2, 3);
    const Instant start = now();
    EXPECT_EQ(co_await next(items), 3);
    EXPECT_GE(now() - start, 5ms);
    feed.put(4, 5);
    EXPECT_FALSE(co_await poll_once(next(items)));
    EXPECT_EQ(feed.left(), 0u);
    EXPECT_EQ(co_await next(items), 5) << "which a dropped next() had taken";
    feed.put(6);
    feed.end();
    EXPECT_EQ(co_await next(items), 6) << "at the end it does not wait";
    EXPECT_EQ(co_await next(items), std::nullopt);
  };
  run(body());
}

// A poll that ran out of budget has not found out that nothing came. (This failed when the task was not on a processor
// between the last item and the look at the clock.)
TEST_P(stream_time, debounce_of_what_is_always_ready_gives_way) {
  const auto body = []() -> Task<> {
    auto items = stream::from(std::views::iota(0)) | stream::debounce(1ms);
    const auto first = co_await select(next(items), sleep(20ms));
    EXPECT_EQ(first.index(), 1u);
  };
  run(body());
}

TEST_P(stream_time, chunks_timeout_gives_what_has_come) {
  const auto body = []() -> Task<> {
    Feed<int> feed;
    auto chunks = feed.stream() | stream::chunks_timeout(3, 5ms);
    feed.put(1, 2);
    const Instant start = now();
    EXPECT_EQ((co_await next(chunks))->size(), 2u);
    EXPECT_GE(now() - start, 5ms);
    feed.put(3, 4, 5, 6);
    EXPECT_EQ((co_await next(chunks))->size(), 3u);
    EXPECT_FALSE(co_await poll_once(next(chunks)));
    EXPECT_EQ((co_await next(chunks))->at(0), 6) << "which a dropped next() had taken";
    feed.put(7);
    feed.end();
    EXPECT_EQ((co_await next(chunks))->at(0), 7);
    EXPECT_FALSE(co_await next(chunks));
  };
  run(body());
}

TEST_P(stream_time, generators_wait_as_tasks_do) {
  const auto body = []() -> Task<std::vector<int>> {
    std::vector<Duration> pauses{0ms, 2ms, 1ms};  // not in the co_await expression: g++ 12 refuses lists there
    co_return co_await (slowly(std::move(pauses)) | stream::collect());
  };
  EXPECT_EQ(run(body()), (std::vector{0, 1, 2}));
}

TEST_P(stream_time, merged_generators_come_as_they_are_ready) {
  const auto body = []() -> Task<std::vector<int>> {
    auto both = stream::merge(slowly(std::vector<Duration>(3, 1ms)), slowly(std::vector<Duration>(2, 0ms)));
    co_return co_await (both | stream::collect());
  };
  auto items = run(body());
  std::sort(items.begin(), items.end());
  EXPECT_EQ(items, (std::vector{0, 0, 1, 1, 2}));
}

TEST_P(stream_time, ticks_come_when_they_are_due) {
  const auto body = []() -> Task<std::vector<Instant>> {
    co_return co_await (stream::ticks(interval(2ms)) | stream::take(3) | stream::collect());
  };
  const auto ticks = run(body());
  ASSERT_EQ(ticks.size(), 3u);
  EXPECT_EQ(ticks[1] - ticks[0], 2ms);
  EXPECT_EQ(ticks[2] - ticks[1], 2ms);
  EXPECT_GE(now(), ticks[2]);
}

TEST_P(stream_time, ticks_are_not_lost_when_next_is_dropped) {
  const auto body = []() -> Task<> {
    auto ticks = stream::ticks(interval(5ms));
    const auto first = co_await next(ticks);
    EXPECT_FALSE(co_await poll_once(next(ticks)));
    const auto second = co_await next(ticks);
    EXPECT_EQ(*second - *first, 5ms);
  };
  run(body());
}

TEST_P(stream_time, incoming_gives_the_connections_of_a_listener) {
  const auto serve = [](Result<Accepted> accepted) -> Task<Result<void>> {
    Accepted connection = co_await try_(std::move(accepted));
    co_await try_(connection.stream.write_all("hello"));
    co_return {};
  };
  const auto client = [](SocketAddress address) -> Task<Result<std::string>> {
    TcpStream stream = co_await try_(TcpStream::connect(address));
    std::array<char, 5> text;
    co_await try_(read_exact(stream, text));
    co_return std::string(text.data(), text.size());
  };
  const auto body = [&]() -> Task<Result<void>> {
    TcpListener listener = co_await try_(TcpListener::bind(SocketAddress::loopback(0)));
    const SocketAddress address = co_await try_(listener.local_address());
    std::vector<Task<Result<std::string>>> clients;
    for (int i = 0; i < 5; ++i) clients.push_back(client(address));
    auto server = stream::incoming(listener) | stream::take(5) | stream::try_for_each_concurrent(3, serve);
    const auto [texts, served] = co_await try_(try_join(try_join_all(std::move(clients)), server));
    EXPECT_EQ(texts, std::vector<std::string>(5, "hello"));
    co_return {};
  };
  EXPECT_TRUE(run(body()));
}

// ---------------------------------------------------------------------------------------------------------- retry()

/// Fails so often, and counts.
struct Failing {
  explicit Failing(int failures, std::errc with = std::errc::connection_refused) : left(failures), error(with) {}
  Task<Result<int>> attempt() {
    ++tries;
    co_await yield_now();
    if (left-- > 0) co_return Error(error, "try");
    co_return tries;
  }
  int left;
  std::errc error;
  int tries = 0;
};

TEST_P(stream_time, retry_until_it_succeeds) {
  Failing failing(3);
  const auto body = [&]() -> Task<Result<int>> {
    auto attempt = [&] { return failing.attempt(); };
    co_return co_await retry(Backoff().first(1ms).longest(2ms).tries(9), attempt);
  };
  EXPECT_EQ(run(body()).value(), 4);
}

TEST_P(stream_time, retry_has_a_limit_of_tries) {
  Failing failing(100);
  const auto body = [&]() -> Task<Result<int>> {
    auto attempt = [&] { return failing.attempt(); };
    co_return co_await retry(Backoff().first(0ns).tries(4), attempt);
  };
  EXPECT_EQ(run(body()).error(), std::errc::connection_refused);
  EXPECT_EQ(failing.tries, 4);
}

TEST_P(stream_time, retry_has_a_limit_of_time) {
  Failing failing(1'000'000);
  const auto body = [&]() -> Task<Result<int>> {
    auto attempt = [&] { return failing.attempt(); };
    co_return co_await retry(Backoff().first(1ms).longest(1ms).tries(Backoff::unlimited).total(10ms), attempt);
  };
  EXPECT_FALSE(run(body()));
  EXPECT_GE(failing.tries, 1);
}

TEST_P(stream_time, retry_does_not_try_again_what_is_not_transient) {
  Failing failing(3, std::errc::permission_denied);
  const auto body = [&]() -> Task<Result<int>> {
    auto attempt = [&] { return failing.attempt(); };
    const auto is_transient = [](const Error& error) { return error == std::errc::connection_refused; };
    co_return co_await retry(Backoff().first(0ns), attempt, is_transient);
  };
  EXPECT_EQ(run(body()).error(), std::errc::permission_denied);
  EXPECT_EQ(failing.tries, 1);
}

TEST_P(stream_time, retry_is_cancelled_in_a_try_and_in_a_wait) {
  const auto body = []() -> Task<> {
    Promise<Result<int>> promise;
    auto attempt = [&] { return promise.future(); };
    {
      auto retried = retry(Backoff(), attempt);
      EXPECT_FALSE(co_await poll_once(retried));
      EXPECT_TRUE(promise.is_awaited());
    }
    EXPECT_FALSE(promise.is_awaited());
    Failing failing(100);
    auto failed = [&] { return failing.attempt(); };
    EXPECT_FALSE((co_await timeout(20ms, retry(Backoff().first(1h).longest(1h), failed))));
    EXPECT_EQ(failing.tries, 1);
  };
  run(body());
}

}  // namespace

TEST(backoff, bounds_double_up_to_the_longest) {
  const Backoff backoff = Backoff().first(10ms).longest(70ms);
  EXPECT_EQ(backoff.bound(1), 10ms);
  EXPECT_EQ(backoff.bound(2), 20ms);
  EXPECT_EQ(backoff.bound(3), 40ms);
  EXPECT_EQ(backoff.bound(4), 70ms);
  EXPECT_EQ(backoff.bound(4'000'000'000), 70ms);
  EXPECT_EQ(Backoff().first(1s).longest(10ms).bound(1), 10ms);
  EXPECT_EQ(Backoff().first(0s).bound(4'000'000'000), 0s);
  EXPECT_EQ(Backoff().first(1s).longest(std::chrono::hours::max()).bound(4'000'000'000), Duration::max());
}

TEST(backoff, waits_are_spread_over_all_of_the_bound) {
  const Backoff backoff = Backoff().first(1s);
  seam::Random random(7);
  std::vector<int> tenths(10);
  for (int i = 0; i < 10'000; ++i) {
    const Duration wait = backoff.draw(1, random);
    ASSERT_GE(wait, 0s);
    ASSERT_LE(wait, 1s);
    ++tenths[static_cast<std::size_t>(std::min<Duration::rep>(9, wait / 100ms))];
  }
  for (const int count : tenths) EXPECT_NEAR(count, 1000, 200);
  EXPECT_LE(Backoff().first(std::chrono::hours::max()).longest(std::chrono::hours::max()).draw(1, random),
            Duration::max());
}

TEST(backoff, tries) {
  EXPECT_TRUE(Backoff().tries(2).allows_more_than(1));
  EXPECT_FALSE(Backoff().tries(2).allows_more_than(2));
  EXPECT_FALSE(Backoff().tries(0).allows_more_than(1));
  EXPECT_TRUE(Backoff().tries(Backoff::unlimited).allows_more_than(Backoff::unlimited));
}

}  // namespace skua::tests
