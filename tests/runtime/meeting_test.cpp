// Notify, Barrier, Latch and OnceCell, polled by hand, and under threads.
#include "polled.hpp"

#include <skua/core/task.hpp>
#include <skua/sync/barrier.hpp>
#include <skua/sync/latch.hpp>
#include <skua/sync/notify.hpp>
#include <skua/sync/once_cell.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace skua::tests {

namespace {

// --- Notify ---------------------------------------------------------------------------------------------------------

TEST(notify, one_is_kept_and_no_more) {
  Notify notify;
  notify.notify_one();
  notify.notify_one();
  Polled first(notify.notified());
  Polled second(notify.notified());
  EXPECT_TRUE(first.is_ready());
  EXPECT_FALSE(second.is_ready());
}

TEST(notify, one_goes_to_the_first_and_last_to_the_last) {
  Notify notify;
  Polled first(notify.notified());
  Polled second(notify.notified());
  Polled third(notify.notified());
  EXPECT_FALSE(first.is_ready() || second.is_ready() || third.is_ready());
  notify.notify_one();
  EXPECT_TRUE(first.is_ready());
  notify.notify_last();
  EXPECT_FALSE(second.is_ready());
  EXPECT_TRUE(third.is_ready());
}

TEST(notify, waiters_are_all_whose_wait_had_begun_and_nothing_is_kept) {
  Notify notify;
  Polled waits(notify.notified());
  EXPECT_FALSE(waits.is_ready());
  Polled not_polled(notify.notified());
  notify.notify_waiters();
  Polled later(notify.notified());
  EXPECT_TRUE(waits.is_ready());
  EXPECT_TRUE(not_polled.is_ready());
  EXPECT_FALSE(later.is_ready());
}

// tokio#3660: it lost or stole the notification that was kept.
TEST(notify, waiters_leave_what_is_kept_alone) {
  Notify notify;
  notify.notify_one();
  Polled before(notify.notified());
  notify.notify_waiters();
  EXPECT_TRUE(before.is_ready());
  Polled after(notify.notified());
  EXPECT_TRUE(after.is_ready()) << "the one that was kept";
  Polled last(notify.notified());
  EXPECT_FALSE(last.is_ready());
}

TEST(notify, more_waiters_than_a_batch) {
  Notify notify;
  std::deque<Polled<Notify::Notified>> waits;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(waits.emplace_back(notify.notified()).is_ready());
  notify.notify_waiters();
  for (auto& wait : waits) {
    EXPECT_EQ(wait.wakes(), 1);
    EXPECT_TRUE(wait.is_ready());
  }
}

// tokio#3652: a receiver that had been notified was dropped, and the notification with it.
TEST(notify, dropped_after_it_was_chosen_it_hands_on) {
  Notify notify;
  {
    Polled first(notify.notified());
    Polled second(notify.notified());
    EXPECT_FALSE(first.is_ready() || second.is_ready());
    notify.notify_one();
    first.drop();
    EXPECT_EQ(second.wakes(), 1);
    second.drop();
  }
  Polled third(notify.notified());
  EXPECT_TRUE(third.is_ready()) << "nobody was left: it is kept";
}

TEST(notify, dropped_after_all_were_told_it_hands_nothing_on) {
  Notify notify;
  Polled first(notify.notified());
  EXPECT_FALSE(first.is_ready());
  notify.notify_waiters();
  first.drop();
  Polled second(notify.notified());
  EXPECT_FALSE(second.is_ready());
}

TEST(notify, enabled_it_has_its_place_before_the_first_poll) {
  Notify notify;
  Polled first(notify.notified());
  Polled second(notify.notified());
  EXPECT_FALSE(first.future().enable());
  EXPECT_FALSE(second.is_ready());
  notify.notify_one();
  EXPECT_EQ(second.wakes(), 0);
  EXPECT_TRUE(first.future().enable());
  EXPECT_TRUE(first.is_ready());
  notify.notify_one();
  EXPECT_TRUE(second.is_ready());
  notify.notify_one();
  Polled third(notify.notified());
  EXPECT_TRUE(third.future().enable()) << "it takes what is kept";
  third.drop();
  Polled fourth(notify.notified());
  EXPECT_TRUE(fourth.is_ready()) << "and hands it on";
}

/// One consumer, several producers: each value is seen though notifications merge.
TEST(notify, a_single_consumer_misses_nothing) {
  Notify notify;
  std::atomic<int> produced{0};
  const int each = scaled(20'000, 2'000);
  std::vector<std::thread> producers;
  for (int i = 0; i < 2; ++i) {
    producers.emplace_back([&] {
      for (int n = 0; n < each; ++n) {
        produced.fetch_add(1);
        notify.notify_one();
      }
    });
  }
  while (produced.load() < 2 * each) notify.wait_blocking();
  for (std::thread& producer : producers) producer.join();
  EXPECT_EQ(produced, 2 * each);
}

// --- Barrier --------------------------------------------------------------------------------------------------------

TEST(barrier, all_go_when_the_last_comes_and_it_begins_anew) {
  Barrier barrier(3);
  for (int round = 0; round < 2; ++round) {
    Polled first(barrier.wait());
    Polled second(barrier.wait());
    Polled last(barrier.wait());
    EXPECT_FALSE(first.is_ready());
    EXPECT_FALSE(second.is_ready());
    ASSERT_TRUE(last.is_ready());
    EXPECT_TRUE(last.value()) << "one of them leads";
    EXPECT_EQ(first.wakes(), 1);
    ASSERT_TRUE(first.is_ready());
    EXPECT_FALSE(first.value());
    EXPECT_TRUE(second.is_ready());
  }
}

TEST(barrier, who_is_dropped_has_not_come) {
  Barrier barrier(2);
  Polled gone(barrier.wait());
  EXPECT_FALSE(gone.is_ready());
  gone.drop();
  Polled first(barrier.wait());
  EXPECT_FALSE(first.is_ready());
  Polled second(barrier.wait());
  EXPECT_TRUE(second.is_ready());
  first.drop();  // let go, and not looked
  Polled next(barrier.wait());
  EXPECT_FALSE(next.is_ready()) << "of the next round";
}

TEST(barrier, of_one_stops_nobody) {
  Barrier one(1);
  Barrier none(0);
  EXPECT_TRUE(Polled(one.wait()).is_ready());
  EXPECT_TRUE(Polled(none.wait()).is_ready());
}

TEST(barrier, threads_meet_in_every_round) {
  constexpr int count = 3;
  Barrier barrier(count);
  std::atomic<int> come{0};
  std::atomic<int> leaders{0};
  std::atomic<int> wrong{0};
  const int rounds = scaled(3'000, 500);
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&] {
      for (int round = 1; round <= rounds; ++round) {
        come.fetch_add(1);
        if (barrier.wait_blocking()) leaders.fetch_add(1);
        if (come.load() < count * round) wrong.fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(leaders, rounds);
}

// --- Latch ----------------------------------------------------------------------------------------------------------

TEST(latch, opens_once_for_everybody) {
  Latch latch(3);
  Polled early(latch.wait());
  EXPECT_FALSE(early.is_ready());
  latch.count_down();
  EXPECT_FALSE(early.is_ready() || latch.is_open());
  latch.count_down(2);
  EXPECT_TRUE(early.is_ready() && latch.is_open());
  EXPECT_TRUE(Polled(latch.wait()).is_ready());
  EXPECT_TRUE(Latch(0).is_open());
}

TEST(latch_death, counted_down_too_often) {
  Latch latch(1);
  EXPECT_DEATH(latch.count_down(2), "below zero");
}

TEST(latch, what_came_before_is_seen) {
  for (int i = 0; i < scaled(500, 50); ++i) {
    Latch latch(2);
    int one = 0;
    int two = 0;
    std::thread first([&] {
      one = 1;
      latch.count_down();
    });
    std::thread second([&] {
      two = 1;
      latch.count_down();
    });
    latch.wait_blocking();
    EXPECT_EQ(one + two, 2);
    first.join();
    second.join();
  }
}

// --- OnceCell -------------------------------------------------------------------------------------------------------

Task<int> made_when_open(Gate& gate, int value, int& begun) {
  ++begun;
  co_await gate.wait();
  co_return value;
}

TEST(once_cell, is_made_once_and_the_others_wait) {
  OnceCell<int> cell;
  Gate gate;
  int begun = 0;
  const auto make = [&] { return made_when_open(gate, 7, begun); };
  Polled first(cell.get_or_init(make));
  Polled second(cell.get_or_init(make));
  EXPECT_FALSE(first.is_ready());
  EXPECT_FALSE(second.is_ready());
  EXPECT_FALSE(cell.set(1)) << "it is being made";
  EXPECT_EQ(cell.get(), nullptr);
  gate.open();
  ASSERT_TRUE(first.is_ready());
  ASSERT_TRUE(second.is_ready());
  EXPECT_EQ(begun, 1);
  EXPECT_EQ(*first.value(), 7);
  EXPECT_EQ(first.value(), second.value());
  Polled late(cell.get_or_init(make));
  EXPECT_TRUE(late.is_ready());
  EXPECT_FALSE(cell.set(1));
  EXPECT_EQ(begun, 1);
}

TEST(once_cell, who_is_dropped_leaves_it_to_the_next) {
  OnceCell<int> cell;
  Gate gate;
  int begun = 0;
  const auto make = [&] { return made_when_open(gate, begun, begun); };
  Polled first(cell.get_or_init(make));
  Polled second(cell.get_or_init(make));
  EXPECT_FALSE(first.is_ready());
  EXPECT_FALSE(second.is_ready());
  first.drop();
  EXPECT_FALSE(second.is_ready());
  EXPECT_EQ(begun, 2);
  gate.open();
  EXPECT_TRUE(second.is_ready());
}

Task<Result<int>> fails_first(int& begun) {
  if (++begun == 1) co_return Error(std::errc::timed_out, "make");
  co_return 3;
}
TEST(once_cell, an_error_stays_with_who_got_it) {
  OnceCell<int> cell;
  int begun = 0;
  const auto make = [&] { return fails_first(begun); };
  Polled first(cell.get_or_try_init(make));
  ASSERT_TRUE(first.is_ready());
  EXPECT_EQ(first.value().error(), std::errc::timed_out);
  EXPECT_FALSE(cell.is_set());
  Polled second(cell.get_or_try_init(make));
  ASSERT_TRUE(second.is_ready());
  EXPECT_EQ(*second.value().value(), 3);
}

TEST(once_cell, set_leaves_the_value_alone_if_it_was_late) {
  OnceCell<std::unique_ptr<int>> cell;
  auto early = std::make_unique<int>(1);
  auto late = std::make_unique<int>(2);
  EXPECT_TRUE(cell.set(std::move(early)));
  EXPECT_FALSE(cell.set(std::move(late)));
  EXPECT_NE(late, nullptr);
  EXPECT_EQ(**cell.get(), 1);
}

}  // namespace
}  // namespace skua::tests
