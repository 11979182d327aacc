// channel() and oneshot(), polled by hand, and under threads.
#include "polled.hpp"

#include <skua/core/random.hpp>
#include <skua/sync/channel.hpp>
#include <skua/sync/oneshot.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace skua::tests {

namespace {

// --- channel --------------------------------------------------------------------------------------------------------

TEST(channel, messages_come_in_order) {
  auto [sender, receiver] = channel<int>(4);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(sender.try_send(int(i)));
  EXPECT_EQ(receiver.size(), 3u);
  EXPECT_EQ(sender.room(), 1u);
  for (int i = 0; i < 3; ++i) {
    Polled next(receiver.receive());
    ASSERT_TRUE(next.is_ready());
    EXPECT_EQ(next.value(), i);
  }
  EXPECT_EQ(sender.room(), 4u);
  EXPECT_EQ(receiver.try_receive().error().code(), SyncError::would_block);
}

TEST(channel, who_sends_more_than_there_is_room_for_waits_in_order) {
  auto [sender, receiver] = channel<int>(1);
  Polled first(sender.send(1));
  Polled second(sender.send(2));
  Polled third(sender.send(3));
  EXPECT_TRUE(first.is_ready());
  EXPECT_FALSE(second.is_ready());
  EXPECT_FALSE(third.is_ready());
  EXPECT_EQ(sender.try_send(9).error().code(), SyncError::would_block);
  EXPECT_EQ(receiver.try_receive().value(), 1);
  EXPECT_EQ(second.wakes(), 1);
  EXPECT_EQ(third.wakes(), 0);
  ASSERT_TRUE(second.is_ready());
  EXPECT_TRUE(second.value());
  EXPECT_EQ(receiver.try_receive().value(), 2);
  EXPECT_TRUE(third.is_ready());
  EXPECT_EQ(receiver.try_receive().value(), 3);
}

TEST(channel, a_receiver_that_waits_is_given_the_message) {
  auto [sender, receiver] = channel<int>(1);
  Receiver<int> other = receiver;
  Polled first(receiver.receive());
  Polled second(other.receive());
  EXPECT_FALSE(first.is_ready());
  EXPECT_FALSE(second.is_ready());
  EXPECT_TRUE(sender.try_send(1));
  EXPECT_EQ(first.wakes(), 1);
  EXPECT_EQ(second.wakes(), 0);
  EXPECT_FALSE(second.is_ready()) << "it is the first's";
  EXPECT_EQ(sender.room(), 0u) << "until it is taken";
  ASSERT_TRUE(first.is_ready());
  EXPECT_EQ(first.value(), 1);
  EXPECT_EQ(sender.room(), 1u);
}

TEST(channel, a_dropped_receive_loses_no_message_and_no_order) {
  auto [sender, receiver] = channel<int>(4);
  {
    Polled dropped(receiver.receive());
    EXPECT_FALSE(dropped.is_ready());
    EXPECT_TRUE(sender.try_send(1));
    EXPECT_TRUE(sender.try_send(2));
  }
  EXPECT_EQ(receiver.try_receive().value(), 1);
  EXPECT_EQ(receiver.try_receive().value(), 2);
  Receiver<int> other = receiver;
  Polled dropped(receiver.receive());
  Polled next(other.receive());
  EXPECT_FALSE(dropped.is_ready());
  EXPECT_FALSE(next.is_ready());
  EXPECT_TRUE(sender.try_send(3));
  dropped.drop();
  EXPECT_EQ(next.wakes(), 1);
  ASSERT_TRUE(next.is_ready());
  EXPECT_EQ(next.value(), 3);
}

TEST(channel, a_dropped_send_has_not_sent) {
  auto [sender, receiver] = channel<int>(1);
  EXPECT_TRUE(sender.try_send(1));
  {
    Polled dropped(sender.send(2));
    EXPECT_FALSE(dropped.is_ready());
    EXPECT_EQ(receiver.try_receive().value(), 1);  // it is granted now
  }
  EXPECT_EQ(sender.room(), 1u);
  EXPECT_EQ(receiver.try_receive().error().code(), SyncError::would_block);
}

TEST(channel, the_end_comes_when_the_last_sender_has_gone_and_all_is_received) {
  auto [sender, receiver] = channel<int>(4);
  std::optional<Sender<int>> one(std::move(sender));
  std::optional<Sender<int>> two(*one);
  EXPECT_TRUE(one->try_send(1));
  one.reset();
  EXPECT_EQ(receiver.try_receive().value(), 1);
  Polled waits(receiver.receive());
  EXPECT_FALSE(waits.is_ready());
  two.reset();
  EXPECT_EQ(waits.wakes(), 1);
  ASSERT_TRUE(waits.is_ready());
  EXPECT_EQ(waits.value(), std::nullopt);
  EXPECT_EQ(receiver.try_receive().error().code(), SyncError::closed);
  Polled again(receiver.receive());
  EXPECT_TRUE(again.is_ready());
}

TEST(channel, the_end_waits_for_a_message_in_other_hands) {
  auto [made, receiver] = channel<int>(4);
  std::optional<Sender<int>> sender(std::move(made));
  Receiver<int> other = receiver;
  Polled holds(receiver.receive());
  Polled waits(other.receive());
  EXPECT_FALSE(holds.is_ready());
  EXPECT_FALSE(waits.is_ready());
  EXPECT_TRUE(sender->try_send(1));
  sender.reset();
  EXPECT_FALSE(waits.is_ready()) << "the first has not looked, and may be dropped";
  holds.drop();
  ASSERT_TRUE(waits.is_ready());
  EXPECT_EQ(waits.value(), 1);
  EXPECT_EQ(other.try_receive().error().code(), SyncError::closed);
}

TEST(channel, senders_learn_that_the_last_receiver_has_gone) {
  auto [sender, made] = channel<std::unique_ptr<int>>(1);
  auto receiver = std::make_unique<Receiver<std::unique_ptr<int>>>(std::move(made));
  EXPECT_TRUE(sender.try_send(std::make_unique<int>(1)));
  Polled waits(sender.send(std::make_unique<int>(2)));
  EXPECT_FALSE(waits.is_ready());
  auto message = std::make_unique<int>(3);
  receiver.reset();
  ASSERT_TRUE(waits.is_ready());
  EXPECT_EQ(waits.value().error().code(), SyncError::closed);
  EXPECT_EQ(sender.try_send(std::move(message)).error().code(), SyncError::closed);
  EXPECT_NE(message, nullptr) << "left as it was";
  EXPECT_TRUE(sender.is_closed());
}

TEST(channel, what_nobody_receives_is_destroyed_with_the_last_receiver) {
  auto [sender, made] = channel<std::shared_ptr<int>>(4);
  auto receiver = std::make_unique<Receiver<std::shared_ptr<int>>>(std::move(made));
  auto message = std::make_shared<int>(1);
  EXPECT_TRUE(sender.try_send(std::shared_ptr<int>(message)));
  receiver.reset();
  EXPECT_EQ(message.use_count(), 1);
}

// tokio#8260: permits that came back after close() did not wake the receiver.
TEST(channel, closed_it_still_delivers_under_permits_that_are_out) {
  auto [sender, receiver] = channel<int>(2);
  std::optional<SendPermit<int>> used(sender.try_reserve().value());
  std::optional<SendPermit<int>> unused(sender.try_reserve().value());
  receiver.close();
  EXPECT_EQ(sender.try_reserve().error().code(), SyncError::closed);
  EXPECT_EQ(receiver.try_receive().error().code(), SyncError::would_block);
  Polled waits(receiver.receive());
  EXPECT_FALSE(waits.is_ready());
  EXPECT_TRUE((*std::move(used)).send(7));
  used.reset();
  ASSERT_TRUE(waits.is_ready());
  EXPECT_EQ(waits.value(), 7);
  Polled last(receiver.receive());
  EXPECT_FALSE(last.is_ready());
  unused.reset();
  EXPECT_EQ(last.wakes(), 1);
  ASSERT_TRUE(last.is_ready());
  EXPECT_EQ(last.value(), std::nullopt);
}

TEST(channel, weak_senders_do_not_keep_it_open) {
  auto [made, receiver] = channel<int>(2);
  std::optional<Sender<int>> sender(std::move(made));
  const WeakSender<int> weak = sender->downgrade();
  {
    auto strong = weak.upgrade();
    ASSERT_TRUE(strong);
    EXPECT_TRUE(strong->is_of_same_channel(*sender));
    EXPECT_TRUE(strong->try_send(1));
  }
  sender.reset();
  EXPECT_FALSE(weak.upgrade());
  EXPECT_EQ(receiver.try_receive().value(), 1);
  EXPECT_EQ(receiver.try_receive().error().code(), SyncError::closed);
}

TEST(channel, many_at_once) {
  auto [sender, receiver] = channel<int>(8);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(sender.try_send(int(i)));
  std::vector<int> got;
  {
    Polled some(receiver.receive_many(got, 3));
    ASSERT_TRUE(some.is_ready());
    EXPECT_EQ(some.value(), 3u);
  }
  Polled rest(receiver.receive_many(got, 10));
  ASSERT_TRUE(rest.is_ready());
  EXPECT_EQ(rest.value(), 2u);
  EXPECT_EQ(got, (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(sender.room(), 8u);
  Polled waits(receiver.receive_many(got, 10));
  EXPECT_FALSE(waits.is_ready());
  EXPECT_TRUE(sender.try_send(5));
  ASSERT_TRUE(waits.is_ready());
  EXPECT_EQ(waits.value(), 1u);
  EXPECT_TRUE(Polled(receiver.receive_many(got, 0)).is_ready());
}

TEST(channel, unbounded_it_never_waits) {
  auto [sender, receiver] = unbounded_channel<std::string>();
  for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(sender.send(std::to_string(i)));
  EXPECT_EQ(receiver.size(), 10'000u);
  for (int i = 0; i < 10'000; ++i) ASSERT_EQ(receiver.try_receive().value(), std::to_string(i));
}

TEST(channel_death, without_room) { EXPECT_DEATH(std::ignore = channel<int>(0), "without room"); }

/// Senders and receivers that give up at random. Each message arrives once, those of one sender at each receiver in
/// order.
TEST(channel, holds_under_threads) {
  auto [made, receiver] = channel<std::uint64_t>(3);
  constexpr std::uint64_t senders = 2;
  constexpr int receivers = 2;
  static constexpr std::uint64_t count = scaled<std::uint64_t>(20'000, 2'000);
  std::vector<std::thread> threads;
  std::vector<std::vector<std::uint64_t>> received(receivers);
  {
    const Sender<std::uint64_t> sender = std::move(made);
    for (std::uint64_t id = 0; id < senders; ++id) {
      threads.emplace_back([id, mine = sender]() mutable {
        seam::Random random(id);
        for (std::uint64_t i = 0; i < count; ++i) {
          const std::uint64_t message = id << 32 | i;
          for (;;) {
            Polled attempt(mine.send(message));
            if (attempt.is_ready()) break;
            if (random.below(2) == 0) continue;  // dropped
            attempt.drop();
            EXPECT_TRUE(mine.send_blocking(message));
            break;
          }
        }
      });
    }
  }
  for (std::size_t id = 0; id < receivers; ++id) {
    threads.emplace_back([id, &into = received[id], mine = receiver]() mutable {
      seam::Random random(100 + id);
      for (;;) {
        Polled attempt(mine.receive());
        if (attempt.is_ready()) {
          if (!attempt.value()) return;
          into.push_back(*attempt.value());
          continue;
        }
        if (random.below(2) == 0) continue;  // dropped, with a message perhaps
        attempt.drop();
        const auto message = mine.receive_blocking();
        if (!message) return;
        into.push_back(*message);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<std::uint64_t> all;
  for (const auto& some : received) all.insert(all.end(), some.begin(), some.end());
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), senders * count);
  for (std::uint64_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], (i / count) << 32 | i % count);
}

// --- oneshot --------------------------------------------------------------------------------------------------------

TEST(oneshot, brings_one_value) {
  auto [sender, receiver] = oneshot<std::unique_ptr<int>>();
  EXPECT_EQ(receiver.try_receive().error().code(), SyncError::would_block);
  Polled future(std::move(receiver));
  EXPECT_FALSE(future.is_ready());
  EXPECT_TRUE(sender.send(std::make_unique<int>(5)));
  EXPECT_EQ(future.wakes(), 1);
  ASSERT_TRUE(future.is_ready());
  EXPECT_EQ(*future.value().value(), 5);
}

TEST(oneshot, a_sender_that_goes_is_noticed) {
  auto [made, receiver] = oneshot<int>();
  std::optional<OneshotSender<int>> sender(std::move(made));
  Polled future(std::move(receiver));
  EXPECT_FALSE(future.is_ready());
  sender.reset();
  EXPECT_EQ(future.wakes(), 1);
  ASSERT_TRUE(future.is_ready());
  EXPECT_EQ(future.value().error().code(), SyncError::closed);
}

TEST(oneshot, a_receiver_that_goes_is_noticed) {
  auto [sender, made] = oneshot<std::unique_ptr<int>>();
  std::optional<OneshotReceiver<std::unique_ptr<int>>> receiver(std::move(made));
  Polled closed(sender.closed());
  EXPECT_FALSE(closed.is_ready());
  EXPECT_FALSE(sender.is_closed());
  receiver.reset();
  EXPECT_EQ(closed.wakes(), 1);
  EXPECT_TRUE(closed.is_ready());
  EXPECT_TRUE(sender.is_closed());
  auto value = std::make_unique<int>(1);
  EXPECT_EQ(sender.send(std::move(value)).error().code(), SyncError::closed);
  EXPECT_NE(value, nullptr);
}

TEST(oneshot, a_value_sent_before_close_is_received) {
  auto [sender, receiver] = oneshot<int>();
  EXPECT_TRUE(sender.send(3));
  receiver.close();
  EXPECT_EQ(receiver.try_receive().value(), 3);
  EXPECT_EQ(receiver.try_receive().error().code(), SyncError::closed);
}

TEST(oneshot, a_value_that_nobody_takes_is_destroyed_with_the_receiver) {
  auto value = std::make_shared<int>(1);
  auto [sender, made] = oneshot<std::shared_ptr<int>>();
  std::optional<OneshotReceiver<std::shared_ptr<int>>> receiver(std::move(made));
  EXPECT_TRUE(sender.send(std::shared_ptr<int>(value)));
  receiver.reset();
  EXPECT_EQ(value.use_count(), 1);
}

TEST(oneshot, between_threads) {
  for (int i = 0; i < scaled(2'000, 300); ++i) {
    auto [sender, receiver] = oneshot<int>();
    std::thread sends([i, mine = std::move(sender)]() mutable {
      if (i % 3 == 0) return;
      EXPECT_TRUE(mine.send(int(i)));
    });
    const Result<int> result = std::move(receiver).receive_blocking();
    sends.join();
    if (i % 3 == 0) {
      EXPECT_EQ(result.error().code(), SyncError::closed);
    } else {
      EXPECT_EQ(*result, i);
    }
  }
}

}  // namespace
}  // namespace skua::tests
