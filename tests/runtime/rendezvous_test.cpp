// rendezvous(), polled by hand, and under threads.
#include "polled.hpp"

#include <skua/core/random.hpp>
#include <skua/sync/rendezvous.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace skua::tests {

namespace {

TEST(rendezvous, a_send_is_over_when_a_receiver_has_the_message) {
  auto [sender, receiver] = rendezvous<int>();
  Polled sent(sender.send(1));
  EXPECT_FALSE(sent.is_ready());
  Polled received(receiver.receive());
  ASSERT_TRUE(received.is_ready());
  EXPECT_EQ(received.value(), 1);
  EXPECT_EQ(sent.wakes(), 1);
  ASSERT_TRUE(sent.is_ready());
  EXPECT_TRUE(sent.value());
}

TEST(rendezvous, a_receiver_that_waits_is_called_and_takes_it_when_it_looks) {
  auto [sender, receiver] = rendezvous<int>();
  Polled received(receiver.receive());
  EXPECT_FALSE(received.is_ready());
  Polled sent(sender.send(1));
  EXPECT_FALSE(sent.is_ready());
  EXPECT_EQ(received.wakes(), 1);
  EXPECT_FALSE(sent.is_ready()) << "nobody has it yet";
  ASSERT_TRUE(received.is_ready());
  EXPECT_EQ(received.value(), 1);
  EXPECT_TRUE(sent.is_ready());
}

TEST(rendezvous, both_sides_are_served_in_the_order_in_which_they_came) {
  auto [sender, receiver] = rendezvous<int>();
  Polled first(sender.send(1));
  Polled second(sender.send(2));
  EXPECT_FALSE(first.is_ready());
  EXPECT_FALSE(second.is_ready());
  EXPECT_EQ(receiver.try_receive().value(), 1);
  EXPECT_EQ(receiver.try_receive().value(), 2);
  EXPECT_EQ(receiver.try_receive().error().code(), SyncError::would_block);

  Polled early(receiver.receive());
  Polled late(receiver.receive());
  EXPECT_FALSE(early.is_ready());
  EXPECT_FALSE(late.is_ready());
  Polled third(sender.send(3));
  EXPECT_FALSE(third.is_ready());
  EXPECT_EQ(early.wakes(), 1);
  EXPECT_EQ(late.wakes(), 0);
  EXPECT_FALSE(late.is_ready()) << "it is for who was called";
  EXPECT_EQ(receiver.try_receive().error().code(), SyncError::would_block) << "also for who comes by";
  ASSERT_TRUE(early.is_ready());
  EXPECT_EQ(early.value(), 3);
}

TEST(rendezvous, a_dropped_receive_hands_its_call_on) {
  auto [sender, receiver] = rendezvous<int>();
  Polled dropped(receiver.receive());
  Polled next(receiver.receive());
  EXPECT_FALSE(dropped.is_ready());
  EXPECT_FALSE(next.is_ready());
  Polled sent(sender.send(1));
  EXPECT_FALSE(sent.is_ready());
  dropped.drop();
  EXPECT_EQ(next.wakes(), 1);
  ASSERT_TRUE(next.is_ready());
  EXPECT_EQ(next.value(), 1);
}

TEST(rendezvous, who_was_called_in_vain_keeps_its_place) {
  auto [sender, receiver] = rendezvous<int>();
  Polled first(receiver.receive());
  Polled second(receiver.receive());
  EXPECT_FALSE(first.is_ready());
  EXPECT_FALSE(second.is_ready());
  {
    Polled dropped(sender.send(1));
    EXPECT_FALSE(dropped.is_ready());
    EXPECT_EQ(first.wakes(), 1);
  }
  EXPECT_FALSE(first.is_ready());
  Polled sent(sender.send(2));
  EXPECT_FALSE(sent.is_ready());
  EXPECT_EQ(first.wakes(), 2);
  EXPECT_EQ(second.wakes(), 0);
  ASSERT_TRUE(first.is_ready());
  EXPECT_EQ(first.value(), 2);
}

TEST(rendezvous, a_message_goes_to_who_was_called_though_its_sender_has_gone) {
  auto [sender, receiver] = rendezvous<int>();
  Polled first(receiver.receive());
  EXPECT_FALSE(first.is_ready());
  Polled dropped(sender.send(1));
  EXPECT_FALSE(dropped.is_ready());
  Polled second(sender.send(2));
  EXPECT_FALSE(second.is_ready());
  dropped.drop();
  Polled newcomer(receiver.receive());
  EXPECT_FALSE(newcomer.is_ready());
  ASSERT_TRUE(first.is_ready());
  EXPECT_EQ(first.value(), 2);
}

TEST(rendezvous, a_dropped_send_has_not_sent) {
  auto [sender, receiver] = rendezvous<std::shared_ptr<int>>();
  const auto message = std::make_shared<int>(1);
  {
    Polled dropped(sender.send(message));
    EXPECT_FALSE(dropped.is_ready());
  }
  EXPECT_EQ(message.use_count(), 1);
  EXPECT_EQ(receiver.try_receive().error().code(), SyncError::would_block);
}

TEST(rendezvous, who_gives_up_a_send_learns_whether_somebody_has_the_message) {
  auto [sender, receiver] = rendezvous<int>();
  Polled kept(sender.send(1));
  EXPECT_FALSE(kept.is_ready());
  EXPECT_EQ(kept.future().take_back(), 1);
  EXPECT_EQ(receiver.try_receive().error().code(), SyncError::would_block);
  Polled received(sender.send(2));
  EXPECT_FALSE(received.is_ready());
  EXPECT_EQ(receiver.try_receive().value(), 2);
  EXPECT_EQ(received.future().take_back(), std::nullopt);
  receiver.close();
  auto unpolled = sender.send(3);
  EXPECT_EQ(unpolled.take_back(), 3);
}

TEST(rendezvous, the_end_comes_with_the_last_sender) {
  auto [sender, receiver] = rendezvous<int>();
  std::optional<RendezvousSender<int>> one(std::move(sender));
  std::optional<RendezvousSender<int>> two(*one);
  Polled received(receiver.receive());
  EXPECT_FALSE(received.is_ready());
  one.reset();
  EXPECT_EQ(received.wakes(), 0);
  two.reset();
  EXPECT_EQ(received.wakes(), 1);
  ASSERT_TRUE(received.is_ready());
  EXPECT_EQ(received.value(), std::nullopt);
  EXPECT_EQ(receiver.try_receive().error().code(), SyncError::closed);
}

TEST(rendezvous, senders_are_refused_when_the_last_receiver_goes) {
  auto [sender, receiver] = rendezvous<int>();
  std::optional<RendezvousReceiver<int>> one(std::move(receiver));
  std::optional<RendezvousReceiver<int>> two(*one);
  Polled sent(sender.send(1));
  EXPECT_FALSE(sent.is_ready());
  one.reset();
  EXPECT_FALSE(sender.is_closed());
  two.reset();
  EXPECT_EQ(sent.wakes(), 1);
  ASSERT_TRUE(sent.is_ready());
  EXPECT_EQ(sent.value().error().code(), SyncError::closed);
  Polled late(sender.send(2));
  ASSERT_TRUE(late.is_ready());
  EXPECT_FALSE(late.value());
}

TEST(rendezvous, close_refuses_who_sends_and_ends_who_receives) {
  auto [sender, receiver] = rendezvous<int>();
  Polled waits(receiver.receive());
  EXPECT_FALSE(waits.is_ready());
  receiver.close();
  EXPECT_TRUE(receiver.is_closed());
  ASSERT_TRUE(waits.is_ready());
  EXPECT_EQ(waits.value(), std::nullopt);
  Polled sent(sender.send(1));
  ASSERT_TRUE(sent.is_ready());
  EXPECT_FALSE(sent.value());
}

TEST(rendezvous, threads_that_give_up_at_random_lose_nothing) {
  constexpr int senders = 2;
  constexpr int messages = 2'000;  // that get through, of each
  auto ends = rendezvous<int>();
  std::atomic<long> sent{0};
  std::atomic<long> received{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < senders; ++i) {
    threads.emplace_back([sender = ends.first, &sent, i]() mutable {
      seam::Random random(static_cast<std::uint64_t>(i));
      for (int done = 0; done < messages;) {
        const int message = done + 1;
        if (random.below(2) == 0) {
          EXPECT_TRUE(sender.send_blocking(message));
        } else {
          Polled impatient(sender.send(message));
          if (!impatient.is_ready()) std::this_thread::yield();
          if (!impatient.is_ready() && impatient.future().take_back()) continue;
        }
        sent += message;
        ++done;
      }
    });
  }
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([receiver = ends.second, &received, i]() mutable {
      seam::Random random(static_cast<std::uint64_t>(100 + i));
      for (;;) {
        if (random.below(2) == 0) {
          const auto message = receiver.receive_blocking();
          if (!message) return;
          received += *message;
        } else {
          Polled impatient(receiver.receive());
          if (!impatient.is_ready()) std::this_thread::yield();
          if (!impatient.is_ready()) continue;
          if (!impatient.value()) return;
          received += *impatient.value();
        }
      }
    });
  }
  {
    const auto gone = std::move(ends.first);
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(sent, received);
  EXPECT_EQ(sent, senders * messages * (messages + 1L) / 2);
}

}  // namespace

}  // namespace skua::tests
