// watch() and broadcast(), polled by hand, and under threads.
#include "polled.hpp"

#include <skua/sync/block_thread_on.hpp>
#include <skua/sync/broadcast.hpp>
#include <skua/sync/watch.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace skua::tests {

namespace {

// --- watch ----------------------------------------------------------------------------------------------------------

TEST(watch, who_looks_sees_the_latest) {
  auto [sender, receiver] = watch<std::string>("first");
  EXPECT_EQ(*receiver.latest(), "first");
  EXPECT_FALSE(receiver.has_changed());
  sender.send("second");
  sender.send("third");
  EXPECT_TRUE(receiver.has_changed());
  {
    Polled changed(receiver.changed());
    ASSERT_TRUE(changed.is_ready());
    EXPECT_TRUE(changed.value());
  }
  EXPECT_FALSE(receiver.has_changed()) << "once for both";
  EXPECT_EQ(*receiver.latest(), "third");
}

TEST(watch, all_receivers_are_told) {
  auto [sender, first] = watch<int>(0);
  WatchReceiver<int> second = sender.subscribe();
  Polled one(first.changed());
  Polled two(second.changed());
  EXPECT_FALSE(one.is_ready());
  EXPECT_FALSE(two.is_ready());
  sender.send_modified([](int& value) { value += 5; });
  EXPECT_EQ(one.wakes(), 1);
  EXPECT_TRUE(one.is_ready() && two.is_ready());
  EXPECT_EQ(*second.latest(), 5);
}

TEST(watch, a_value_that_is_held_stays_good) {
  auto [sender, receiver] = watch<std::vector<int>>({1, 2, 3});
  const auto held = receiver.latest();
  sender.send({});
  EXPECT_EQ(held->size(), 3u);
  EXPECT_EQ(held.use_count(), 1) << "nobody else keeps it";
}

TEST(watch, waits_for_a_value_that_fits) {
  auto [sender, receiver] = watch<int>(1);
  const auto is_large = [](int value) { return value > 10; };
  {
    Polled waits(receiver.wait_for(is_large));
    EXPECT_FALSE(waits.is_ready());
    sender.send(5);
    EXPECT_FALSE(waits.is_ready());
    sender.send(11);
    ASSERT_TRUE(waits.is_ready());
    EXPECT_EQ(*waits.value().value(), 11);
  }
  EXPECT_TRUE(Polled(receiver.wait_for(is_large)).is_ready()) << "the present one counts";
}

TEST(watch, a_sender_that_goes_is_noticed_after_its_last_value) {
  auto [made, receiver] = watch<int>(1);
  std::optional<WatchSender<int>> sender(std::move(made));
  Polled waits(receiver.changed());
  EXPECT_FALSE(waits.is_ready());
  sender->send(2);
  sender.reset();
  ASSERT_TRUE(waits.is_ready());
  EXPECT_TRUE(waits.value()) << "the value first";
  Polled end(receiver.changed());
  ASSERT_TRUE(end.is_ready());
  EXPECT_EQ(end.value().error().code(), SyncError::closed);
  EXPECT_EQ(*receiver.latest(), 2);
}

TEST(watch, a_dropped_wait_has_seen_nothing) {
  auto [sender, receiver] = watch<int>(1);
  {
    Polled dropped(receiver.changed());
    EXPECT_FALSE(dropped.is_ready());
    sender.send(2);
  }
  EXPECT_TRUE(Polled(receiver.changed()).is_ready());
}

TEST(watch, followers_in_threads_see_the_last_value) {
  auto [made, receiver] = watch<int>(0);
  static constexpr int last = scaled(5'000, 500);
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([mine = receiver]() mutable {
      int seen = 0;
      while (sync::block_thread_on(mine.changed())) {
        const int value = *mine.latest();
        EXPECT_GT(value, seen);
        seen = value;
      }
      EXPECT_EQ(seen, last);
    });
  }
  {
    WatchSender<int> sender = std::move(made);
    for (int i = 1; i <= last; ++i) sender.send(i);
  }
  for (std::thread& thread : threads) thread.join();
}

// --- broadcast ------------------------------------------------------------------------------------------------------

TEST(broadcast, everybody_gets_each_message) {
  auto [sender, first] = broadcast<std::string>(4);
  sender.send("a");
  BroadcastReceiver<std::string> second = sender.subscribe();
  sender.send("b");
  EXPECT_EQ(*first.try_receive().value(), "a");
  EXPECT_EQ(*first.try_receive().value(), "b");
  EXPECT_EQ(*second.try_receive().value(), "b") << "what came after it";
  EXPECT_EQ(second.try_receive().error().code(), SyncError::would_block);
  Polled waits(second.receive());
  EXPECT_FALSE(waits.is_ready());
  sender.send("c");
  EXPECT_EQ(waits.wakes(), 1);
  ASSERT_TRUE(waits.is_ready());
  EXPECT_EQ(**waits.value(), "c");
  EXPECT_EQ(first.size(), 1u);
}

TEST(broadcast, who_is_too_slow_is_told_how_much_it_missed) {
  auto [sender, receiver] = broadcast<int>(3);
  for (int i = 0; i < 10; ++i) sender.send(i);
  EXPECT_EQ(receiver.try_receive().error().code(), SyncError::lagged);
  EXPECT_EQ(receiver.missed(), 7u);
  for (int i = 7; i < 10; ++i) EXPECT_EQ(*receiver.try_receive().value(), i);
  EXPECT_EQ(receiver.try_receive().error().code(), SyncError::would_block);
}

TEST(broadcast, the_end_comes_after_the_last_message) {
  auto [made, receiver] = broadcast<int>(2);
  std::optional<BroadcastSender<int>> one(std::move(made));
  std::optional<BroadcastSender<int>> two(*one);
  one->send(1);
  one.reset();
  EXPECT_EQ(*receiver.try_receive().value(), 1);
  Polled waits(receiver.receive());
  EXPECT_FALSE(waits.is_ready());
  two.reset();
  ASSERT_TRUE(waits.is_ready());
  EXPECT_EQ(waits.value().error().code(), SyncError::closed);
}

TEST(broadcast, a_message_goes_when_it_is_overwritten) {
  auto [sender, receiver] = broadcast<std::shared_ptr<int>>(1);
  auto message = std::make_shared<int>(1);
  sender.send(message);
  sender.send(nullptr);
  EXPECT_EQ(message.use_count(), 1);
}

TEST(broadcast, receivers_in_threads_count_every_message) {
  auto [made, receiver] = broadcast<int>(16);
  static constexpr int count = scaled(10'000, 1'000);
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([mine = receiver]() mutable {
      std::uint64_t got = 0;
      int last = -1;
      for (;;) {
        const auto message = sync::block_thread_on(mine.receive());
        if (message) {
          ++got;
          EXPECT_GT(**message, last);
          last = **message;
        } else if (message.error().code() == SyncError::closed) {
          break;
        }
      }
      EXPECT_EQ(got + mine.missed(), static_cast<std::uint64_t>(count));
      EXPECT_EQ(last, count - 1);
    });
  }
  {
    const BroadcastSender<int> sender = std::move(made);
    BroadcastSender<int> mine = sender;
    for (int i = 0; i < count; ++i) mine.send(i);
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace skua::tests
