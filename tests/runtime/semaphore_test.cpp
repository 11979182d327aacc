// Semaphore, polled by hand, and under threads.
#include "polled.hpp"

#include <skua/core/random.hpp>
#include <skua/sync/semaphore.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <thread>
#include <vector>

namespace skua::tests {

namespace {

using Acquire = SemaphoreAcquire<Semaphore*>;
Polled<Acquire> polled(Semaphore& semaphore, std::size_t permits = 1) {
  return Polled<Acquire>(semaphore.acquire(permits));
}

TEST(semaphore, permits_are_taken_and_come_back) {
  Semaphore semaphore(3);
  {
    auto one = polled(semaphore, 2);
    ASSERT_TRUE(one.is_ready());
    EXPECT_EQ(one.value()->count(), 2u);
    EXPECT_EQ(semaphore.available_permits(), 1u);
    EXPECT_EQ(semaphore.try_acquire(2).error().code(), SyncError::would_block);
    EXPECT_EQ(semaphore.try_acquire(2).error(), std::errc::operation_would_block);
    EXPECT_TRUE(semaphore.try_acquire(1));
  }
  EXPECT_EQ(semaphore.available_permits(), 3u);
}

TEST(semaphore, waiters_are_served_in_order_and_nobody_passes_them) {
  Semaphore semaphore(1);
  auto held = polled(semaphore);
  ASSERT_TRUE(held.is_ready());
  auto many = polled(semaphore, 2);
  auto one = polled(semaphore, 1);
  EXPECT_FALSE(many.is_ready());
  EXPECT_FALSE(one.is_ready());
  held.drop();
  EXPECT_EQ(semaphore.available_permits(), 1u) << "it lies there for the first";
  EXPECT_FALSE(semaphore.try_acquire());
  EXPECT_FALSE(one.is_ready());
  EXPECT_EQ(one.wakes(), 0);
  semaphore.add_permits(1);
  EXPECT_EQ(many.wakes(), 1);
  EXPECT_EQ(one.wakes(), 0);
  EXPECT_TRUE(many.is_ready());
  many.drop();
  EXPECT_TRUE(one.is_ready());
}

TEST(semaphore, one_release_serves_several) {
  Semaphore semaphore(0);
  std::deque<Polled<Acquire>> waits;
  for (int i = 0; i < 100; ++i) {
    waits.emplace_back(semaphore.acquire());
    ASSERT_FALSE(waits.back().is_ready());
  }
  semaphore.add_permits(70);  // more than one batch of wakers
  for (int i = 0; i < 100; ++i) EXPECT_EQ(waits[static_cast<std::size_t>(i)].wakes(), i < 70 ? 1 : 0);
  semaphore.add_permits(30);
  for (auto& wait : waits) EXPECT_TRUE(wait.is_ready());
}

TEST(semaphore, dropped_wait_that_was_granted_hands_on) {
  Semaphore semaphore(0);
  auto first = polled(semaphore);
  auto second = polled(semaphore);
  EXPECT_FALSE(first.is_ready());
  EXPECT_FALSE(second.is_ready());
  semaphore.add_permits(1);
  EXPECT_EQ(first.wakes(), 1);
  first.drop();
  EXPECT_EQ(second.wakes(), 1);
  EXPECT_TRUE(second.is_ready());
}

TEST(semaphore, dropped_wait_that_wanted_more_lets_the_others_by) {
  Semaphore semaphore(1);
  auto greedy = polled(semaphore, 2);
  auto modest = polled(semaphore, 1);
  EXPECT_FALSE(greedy.is_ready());
  EXPECT_FALSE(modest.is_ready());
  greedy.drop();
  EXPECT_TRUE(modest.is_ready());
}

TEST(semaphore, dropped_in_the_middle_and_never_polled) {
  Semaphore semaphore(0);
  auto first = polled(semaphore);
  auto second = polled(semaphore);
  auto third = polled(semaphore);
  auto never = polled(semaphore);
  EXPECT_FALSE(first.is_ready());
  EXPECT_FALSE(second.is_ready());
  EXPECT_FALSE(third.is_ready());
  second.drop();
  never.drop();
  semaphore.add_permits(2);
  EXPECT_TRUE(first.is_ready());
  EXPECT_TRUE(third.is_ready());
}

TEST(semaphore, the_last_waker_is_the_one_that_is_woken) {
  Semaphore semaphore(0);
  auto wait = semaphore.acquire();
  CountedContext before;
  CountedContext after;
  EXPECT_TRUE(wait.poll(before).is_pending());
  EXPECT_TRUE(wait.poll(after).is_pending());
  semaphore.add_permits(1);
  EXPECT_EQ(before.wakes(), 0);
  EXPECT_EQ(after.wakes(), 1);
}

TEST(semaphore, close_ends_waits_and_leaves_permits_good) {
  Semaphore semaphore(1);
  auto held = polled(semaphore);
  ASSERT_TRUE(held.is_ready());
  auto waits = polled(semaphore);
  EXPECT_FALSE(waits.is_ready());
  semaphore.close();
  EXPECT_EQ(waits.wakes(), 1);
  ASSERT_TRUE(waits.is_ready());
  EXPECT_EQ(waits.value().error().code(), SyncError::closed);
  EXPECT_EQ(waits.value().error().message(), "acquire: it is closed");
  held.drop();
  EXPECT_EQ(semaphore.available_permits(), 1u);
  EXPECT_TRUE(semaphore.is_closed());
  EXPECT_EQ(semaphore.try_acquire().error().code(), SyncError::closed);
  EXPECT_EQ(semaphore.forget_permits(1), 1u);
  EXPECT_TRUE(semaphore.is_closed()) << "and stays so";
}

TEST(semaphore, permits_split_merge_and_are_forgotten) {
  Semaphore semaphore(5);
  SemaphorePermit<> all = semaphore.try_acquire(5).value();
  EXPECT_FALSE(all.split(6));
  {
    auto two = all.split(2);
    ASSERT_TRUE(two);
    EXPECT_EQ(all.count(), 3u);
    auto one = two->split(1);
    all.merge(*std::move(one));
    EXPECT_EQ(all.count(), 4u);
  }
  EXPECT_EQ(semaphore.available_permits(), 1u);
  EXPECT_EQ(all.forget(), 4u);
  EXPECT_EQ(semaphore.forget_permits(7), 1u);
  EXPECT_EQ(semaphore.available_permits(), 0u);
}

TEST(semaphore, owned_permits_keep_it_alive) {
  auto semaphore = std::make_shared<Semaphore>(1);
  const std::weak_ptr<Semaphore> seen = semaphore;
  {
    auto permit = Semaphore::try_acquire_owned(semaphore).value();
    Polled wait(Semaphore::acquire_owned(std::move(semaphore)));
    EXPECT_FALSE(wait.is_ready());
    {
      const auto gone = std::move(permit);
    }
    EXPECT_TRUE(wait.is_ready());
    EXPECT_FALSE(seen.expired());
  }
  EXPECT_TRUE(seen.expired());
}

TEST(semaphore, the_largest_number_of_permits) {
  Semaphore semaphore(Semaphore::max_permits);
  EXPECT_EQ(semaphore.available_permits(), Semaphore::max_permits);
  auto all = semaphore.try_acquire(Semaphore::max_permits);
  ASSERT_TRUE(all);
  EXPECT_EQ(semaphore.available_permits(), 0u);
  EXPECT_FALSE(semaphore.is_closed());
}

TEST(semaphore_death, more_permits_than_the_largest_number) {
  Semaphore semaphore(Semaphore::max_permits);
  EXPECT_DEATH(semaphore.add_permits(1), "more than Semaphore::max_permits");
}

TEST(semaphore_death, blocking_forms_are_for_threads_without_tasks) {
  Semaphore semaphore(1);
  const budget::Grant as_in_a_task(10);
  EXPECT_DEATH(std::ignore = semaphore.acquire_blocking(), "inside of a task");
}

/// Tasks of some threads: wait blocking, try, or begin to wait and give up, in any order. No permit is lost or made.
TEST(semaphore, holds_under_threads) {
  constexpr std::size_t permits = 3;
  Semaphore semaphore(permits);
  std::atomic<int> held{0};
  std::atomic<int> too_many{0};
  const auto use = [&](std::size_t count) {
    if (held.fetch_add(static_cast<int>(count)) + static_cast<int>(count) > static_cast<int>(permits)) ++too_many;
    held.fetch_sub(static_cast<int>(count));
  };
  std::vector<std::thread> threads;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&, seed] {
      seam::Random random(seed);
      for (int i = 0; i < scaled(20'000, 2'000); ++i) {
        const std::size_t count = 1 + random.below(3);
        const auto kind = random.below(4);
        if (kind == 0) {
          auto permit = semaphore.try_acquire(count);
          if (permit) use(count);
        } else if (kind == 1) {
          auto wait = polled(semaphore, count);
          if (wait.is_ready()) use(count);
        } else {
          auto permit = semaphore.acquire_blocking(count);
          use(count);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(too_many, 0);
  EXPECT_EQ(semaphore.available_permits(), permits);
}

}  // namespace
}  // namespace skua::tests
