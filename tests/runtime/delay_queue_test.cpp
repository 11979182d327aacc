// DelayQueue: order, keys, what happens while next() waits, drops.
#include "each_runtime.hpp"

#include "../support/probe.hpp"

#include <skua/streams.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

using delay_queue = EachRuntime;
INSTANTIATE_TEST_SUITE_P(on, delay_queue, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

template <class T>
DelayKey put(DelayQueue<T>& queue, T value, Instant deadline) {
  return queue.insert(std::move(value), deadline).value();
}

TEST_P(delay_queue, values_come_in_the_order_of_their_deadlines_and_not_before) {
  const auto body = []() -> Task<> {
    DelayQueue<int> queue(10);
    const Instant start = now();
    put(queue, 3, start + 6ms);
    put(queue, 1, start + 2ms);
    put(queue, 2, start + 4ms);
    put(queue, 0, start - 1h);
    for (int i = 0; i < 4; ++i) {
      const auto expired = co_await queue.next();
      EXPECT_EQ(expired->value, i);
      EXPECT_EQ(expired->deadline, i == 0 ? start - 1h : start + i * 2ms);
      EXPECT_GE(now(), expired->deadline);
    }
    EXPECT_FALSE(co_await queue.next()) << "the queue is empty";
  };
  run(body());
}

TEST_P(delay_queue, equal_deadlines_come_in_the_order_of_insertion) {
  const auto body = []() -> Task<std::vector<int>> {
    DelayQueue<int> queue(100);
    const Instant deadline = now() + 1ms;
    std::vector<DelayKey> keys;
    for (int i = 0; i < 100; ++i) keys.push_back(put(queue, i, deadline));
    for (std::size_t i = 0; i < 50; ++i) EXPECT_TRUE(queue.reset(keys[i], deadline));  // to the end
    std::vector<int> order;
    while (const auto expired = co_await queue.next()) order.push_back(expired->value);
    co_return order;
  };
  const auto order = run(body());
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], (i + 50) % 100);
}

TEST_P(delay_queue, remove_takes_a_value_before_its_time) {
  const auto body = []() -> Task<> {
    DelayQueue<std::unique_ptr<int>> queue(2);
    const DelayKey soon = put(queue, std::make_unique<int>(1), now() + 1ms);
    const DelayKey late = put(queue, std::make_unique<int>(2), now() + 1h);
    EXPECT_EQ(**queue.find(late), 2);
    EXPECT_EQ(queue.peek(), soon);
    EXPECT_EQ(**queue.remove(late), 2);
    EXPECT_FALSE(queue.remove(late));
    EXPECT_EQ(*(co_await queue.next())->value, 1);
    EXPECT_FALSE(queue.remove(soon));
    EXPECT_EQ(queue.find(soon), nullptr);
    EXPECT_EQ(queue.deadline(soon), std::nullopt);
    EXPECT_FALSE(queue.reset(soon, now()));
    EXPECT_EQ(queue.peek(), std::nullopt);
    const DelayKey another = put(queue, std::make_unique<int>(3), now());
    EXPECT_FALSE(another == soon || another == late) << "a slot is used again, a key is not";
    EXPECT_EQ(queue.find(soon), nullptr);
  };
  run(body());
}

TEST_P(delay_queue, next_that_waits_follows_what_is_inserted_and_moved) {
  const auto body = []() -> Task<> {
    DelayQueue<int> queue(3);
    const DelayKey far = put(queue, 1, now() + 1h);
    auto next = queue.next();
    EXPECT_FALSE(co_await poll_once(next));
    const Instant earlier = now() + 2ms;
    put(queue, 2, earlier);
    EXPECT_EQ((co_await next)->value, 2);
    EXPECT_GE(now(), earlier);
    auto again = queue.next();
    EXPECT_FALSE(co_await poll_once(again));
    EXPECT_TRUE(queue.reset(far, now() + 1ms));
    EXPECT_EQ((co_await again)->value, 1);
  };
  run(body());
}

TEST_P(delay_queue, next_that_waits_ends_when_the_last_value_is_taken_out) {
  const auto body = []() -> Task<> {
    for (const bool by_clear : {false, true}) {
      DelayQueue<int> queue(1);
      const DelayKey key = put(queue, 1, now() + 1h);
      auto next = queue.next();
      EXPECT_FALSE(co_await poll_once(next));
      by_clear ? queue.clear() : static_cast<void>(queue.remove(key));
      EXPECT_FALSE(co_await next);
    }
  };
  run(body());
}

TEST_P(delay_queue, a_first_value_that_is_taken_out_does_not_end_the_wait_for_the_next) {
  const auto body = []() -> Task<> {
    DelayQueue<int> queue(2);
    const DelayKey first = put(queue, 1, now() + 2ms);
    const Instant later = now() + 10ms;
    put(queue, 2, later);
    auto next = queue.next();
    EXPECT_FALSE(co_await poll_once(next));
    EXPECT_TRUE(queue.remove(first));
    EXPECT_EQ((co_await next)->value, 2);
    EXPECT_GE(now(), later);
  };
  run(body());
}

TEST_P(delay_queue, a_dropped_next_loses_nothing) {
  const auto body = []() -> Task<> {
    DelayQueue<int> queue(100);
    for (int i = 0; i < 100; ++i) put(queue, i, now() + i * 50us);
    for (int i = 0; i < 100;) {
      const auto first = co_await select(queue.next(), sleep(30us));
      if (first.index() != 0) continue;
      EXPECT_EQ(std::get<0>(first)->value, i);
      ++i;
    }
    EXPECT_TRUE(queue.is_empty());
  };
  run(body());
}

TEST_P(delay_queue, a_thousand_values_take_one_timer) {
  const auto body = []() -> Task<> {
    {
      DelayQueue<int> queue(1000);
      for (int i = 0; i < 1000; ++i) put(queue, i, now() + 1h - i * 1s);
      EXPECT_FALSE(co_await poll_once(queue.next()));
      for (int i = 0; i < 500; ++i) queue.remove(*queue.peek());
      EXPECT_EQ(reactor::Driver::current().armed_timers(), 1u);
      EXPECT_EQ(queue.size(), 500u);
    }
    EXPECT_EQ(reactor::Driver::current().armed_timers(), 0u);
  };
  runtime_->block_on(body());
}

TEST_P(delay_queue, is_a_stream) {
  const auto body = []() -> Task<std::vector<int>> {
    DelayQueue<int> queue(3);
    for (const int i : {2, 1, 3}) put(queue, i, now() + i * 1ms);
    const auto value = [](const Expired<int>& expired) { return expired.value; };
    co_return co_await (queue | stream::map(value) | stream::collect());
  };
  EXPECT_EQ(run(body()), (std::vector{1, 2, 3}));
}

TEST_P(delay_queue, what_is_always_due_lets_others_run) {
  const auto body = []() -> Task<> {
    DelayQueue<int> queue(1);
    const auto never_empty = [&]() -> Task<> {
      for (;;) {
        if (queue.is_empty()) put(queue, 1, now());
        co_await queue.next();
      }
    };
    EXPECT_FALSE(co_await timeout(2ms, never_empty()));
    DelayQueue<int> empty(1);
    const auto always_empty = [&]() -> Task<> {
      for (;;) co_await empty.next();
    };
    EXPECT_FALSE(co_await timeout(2ms, always_empty()));
  };
  run(body());
}

TEST(delay_queue_alone, a_full_queue_refuses_and_leaves_the_value_alone) {
  DelayQueue<std::string> queue(2);
  std::string text = "a text that is too long to be kept in place";
  EXPECT_TRUE(queue.insert(text, Instant()));
  EXPECT_TRUE(queue.insert(text, Instant()));
  const auto refused = queue.insert(std::move(text), Instant());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), std::errc::no_buffer_space);
  EXPECT_EQ(text, "a text that is too long to be kept in place");
  queue.remove(*queue.peek());
  EXPECT_TRUE(queue.insert(std::move(text), Instant()));
}

TEST(delay_queue_alone, values_are_destroyed_with_the_queue_and_by_clear) {
  Census census;
  {
    DelayQueue<Counted> queue(10);
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(queue.insert(Counted(census), Instant::max()));
    EXPECT_EQ(census.alive(), 5);
    queue.clear();
    EXPECT_EQ(census.alive(), 0);
    EXPECT_TRUE(queue.is_empty());
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(queue.insert(Counted(census), Instant::min()));
    DelayQueue<Counted> moved(std::move(queue));
    EXPECT_EQ(moved.size(), 5u);
  }
  EXPECT_EQ(census.alive(), 0);
}

/// Cannot be copied a second time.
struct ThrowsOnCopy {
  explicit ThrowsOnCopy(int& copies) : left(&copies) {}
  ThrowsOnCopy(const ThrowsOnCopy& other) : left(other.left) {
    if (--*left < 0) throw std::runtime_error("no more copies");
  }
  int* left;
};

TEST(delay_queue_alone, a_value_that_throws_is_not_in_the_queue) {
  int copies = 1;
  const ThrowsOnCopy value(copies);
  DelayQueue<ThrowsOnCopy> queue(10);
  const auto first = queue.insert(value, Instant::max());
  EXPECT_TRUE(first);
  EXPECT_THROW(static_cast<void>(queue.insert(value, Instant::min())), std::runtime_error);
  EXPECT_EQ(queue.size(), 1u);
  EXPECT_EQ(queue.peek(), first.value());
}

}  // namespace
}  // namespace skua::tests
