// Mutex, RwLock and Condvar, polled by hand, and under threads.
#include "polled.hpp"

#include <skua/core/random.hpp>
#include <skua/core/task.hpp>
#include <skua/sync/condvar.hpp>
#include <skua/sync/mutex.hpp>
#include <skua/sync/rw_lock.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace skua::tests {

namespace {

// --- Mutex ----------------------------------------------------------------------------------------------------------

TEST(mutex, one_at_a_time_first_come_first_served) {
  Mutex<int> mutex(5);
  Polled first(mutex.lock());
  Polled second(mutex.lock());
  Polled third(mutex.lock());
  ASSERT_TRUE(first.is_ready());
  EXPECT_EQ(*first.value(), 5);
  *first.value() = 6;
  EXPECT_FALSE(second.is_ready());
  EXPECT_FALSE(third.is_ready());
  EXPECT_FALSE(mutex.try_lock());
  first.drop();
  EXPECT_EQ(third.wakes(), 0);
  EXPECT_FALSE(mutex.try_lock()) << "it is the second's";
  ASSERT_TRUE(second.is_ready());
  EXPECT_EQ(*second.value(), 6);
  second.drop();
  EXPECT_TRUE(third.is_ready());
  third.drop();
  EXPECT_TRUE(mutex.try_lock());
}

// tokio#1898: a mutex that was dead after a lock() had been dropped.
TEST(mutex, a_lock_dropped_in_any_state_leaves_the_mutex_usable) {
  Mutex<> mutex;
  for (const bool is_polled : {false, true}) {
    for (const bool is_granted : {false, true}) {
      auto held = mutex.try_lock();
      ASSERT_TRUE(held);
      {
        Polled dropped(mutex.lock());
        if (is_polled) {
          EXPECT_FALSE(dropped.is_ready());
        }
        if (is_granted) held.reset();
      }
      held.reset();
      EXPECT_TRUE(mutex.try_lock()) << is_polled << is_granted;
    }
  }
}

TEST(mutex, an_exception_unlocks) {
  Mutex<int> mutex;
  const auto fails = [](Mutex<int>& in) -> Task<> {
    const auto guard = co_await in.lock();
    throw std::runtime_error("on purpose");
  };
  CountedContext context;
  auto task = fails(mutex);
  EXPECT_THROW(std::ignore = task.poll(context), std::runtime_error);
  EXPECT_TRUE(mutex.try_lock());
}

TEST(mutex, owned_guards_keep_it_alive) {
  auto mutex = std::make_shared<Mutex<std::string>>("text");
  const std::weak_ptr<Mutex<std::string>> seen = mutex;
  {
    Polled lock(Mutex<std::string>::lock_owned(std::move(mutex)));
    ASSERT_TRUE(lock.is_ready());
    auto guard = std::move(lock.value());
    lock.drop();
    EXPECT_EQ(guard->size(), 4u);
    EXPECT_FALSE(seen.expired());
  }
  EXPECT_TRUE(seen.expired());
}

TEST(mutex, holds_under_threads) {
  Mutex<int> mutex(0);
  const int count = scaled(20'000, 2'000);
  std::atomic<int> counted{0};
  std::vector<std::thread> threads;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    threads.emplace_back([&, seed] {
      seam::Random random(seed);
      for (int i = 0; i < count; ++i) {
        if (random.below(3) == 0) {
          Polled lock(mutex.lock());
          if (!lock.is_ready()) continue;
          ++*lock.value();
        } else {
          const auto guard = mutex.lock_blocking();
          ++*guard;
        }
        ++counted;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(*mutex.lock_blocking(), counted);
}

// --- RwLock ---------------------------------------------------------------------------------------------------------

TEST(rw_lock, many_read_and_one_writes) {
  RwLock<int> lock(1);
  Polled one(lock.read());
  Polled two(lock.read());
  Polled writer(lock.write());
  Polled late(lock.read());
  EXPECT_TRUE(one.is_ready());
  EXPECT_TRUE(two.is_ready());
  EXPECT_FALSE(writer.is_ready());
  EXPECT_FALSE(late.is_ready()) << "behind the writer, who must not starve";
  EXPECT_FALSE(lock.try_read());
  one.drop();
  EXPECT_FALSE(writer.is_ready());
  two.drop();
  ASSERT_TRUE(writer.is_ready());
  *writer.value() = 2;
  EXPECT_FALSE(late.is_ready());
  writer.drop();
  ASSERT_TRUE(late.is_ready());
  EXPECT_EQ(*late.value(), 2);
}

TEST(rw_lock, a_writer_that_goes_lets_the_readers_behind_it_by) {
  RwLock<int> lock(1);
  Polled reader(lock.read());
  Polled writer(lock.write());
  Polled late(lock.read());
  EXPECT_TRUE(reader.is_ready());
  EXPECT_FALSE(writer.is_ready());
  EXPECT_FALSE(late.is_ready());
  writer.drop();
  EXPECT_EQ(late.wakes(), 1);
  EXPECT_TRUE(late.is_ready());
}

TEST(rw_lock, downgraded_it_lets_readers_in_and_no_writer) {
  RwLock<int> lock(1);
  auto writer = lock.try_write();
  ASSERT_TRUE(writer);
  **writer = 3;
  Polled reader(lock.read());
  Polled other(lock.write());
  EXPECT_FALSE(reader.is_ready());
  EXPECT_FALSE(other.is_ready());
  {
    const auto downgraded = (*std::move(writer)).downgrade();
    EXPECT_EQ(*downgraded, 3);
    EXPECT_TRUE(reader.is_ready());
    reader.drop();
    EXPECT_FALSE(other.is_ready());
  }
  EXPECT_TRUE(other.is_ready());
}

TEST(rw_lock, an_upgrade_waits_for_readers_and_comes_before_writers) {
  RwLock<int> lock(1);
  Polled upgradable(lock.read_upgradable());
  ASSERT_TRUE(upgradable.is_ready());
  EXPECT_EQ(*upgradable.value(), 1);
  Polled second(lock.read_upgradable());
  EXPECT_FALSE(second.is_ready()) << "one at a time";
  Polled reader(lock.read());
  EXPECT_TRUE(reader.is_ready());
  Polled writer(lock.write());
  EXPECT_FALSE(writer.is_ready());
  Polled upgrade(std::move(upgradable.value()).upgrade());
  upgradable.drop();
  EXPECT_FALSE(upgrade.is_ready());
  reader.drop();
  EXPECT_EQ(writer.wakes(), 0);
  ASSERT_TRUE(upgrade.is_ready());
  *upgrade.value() = 2;
  EXPECT_FALSE(second.is_ready());
  upgrade.drop();
  ASSERT_TRUE(writer.is_ready());
  EXPECT_EQ(*writer.value(), 2);
  writer.drop();
  EXPECT_TRUE(second.is_ready());
}

TEST(rw_lock, a_dropped_upgrade_has_given_all_up) {
  RwLock<int> lock(1);
  Polled upgradable(lock.read_upgradable());
  auto reader = lock.try_read();
  ASSERT_TRUE(upgradable.is_ready() && reader);
  {
    Polled upgrade(std::move(upgradable.value()).upgrade());
    EXPECT_FALSE(upgrade.is_ready());
  }
  upgradable.drop();
  reader.reset();
  EXPECT_TRUE(lock.try_write());
  Polled again(lock.read_upgradable());
  EXPECT_TRUE(again.is_ready());
}

TEST(rw_lock, holds_under_threads) {
  RwLock<int> lock(0);
  std::atomic<int> writes{0};
  std::vector<std::thread> threads;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    threads.emplace_back([&, seed] {
      seam::Random random(seed);
      for (int i = 0; i < scaled(10'000, 1'000); ++i) {
        switch (random.below(4)) {
          case 0: {
            const auto guard = lock.write_blocking();
            ++*guard;
            ++writes;
            break;
          }
          case 1: {
            auto guard = sync::block_thread_on(lock.read_upgradable());
            const int seen = *guard;
            const auto writer = sync::block_thread_on(std::move(guard).upgrade());
            EXPECT_EQ(*writer, seen) << "nothing changes between";
            ++*writer;
            ++writes;
            break;
          }
          case 2: {
            Polled reader(lock.write());
            if (!reader.is_ready()) break;
            ++*reader.value();
            ++writes;
            break;
          }
          default: {
            const auto guard = lock.read_blocking();
            const int seen = *guard;
            EXPECT_EQ(*guard, seen);
          }
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(*lock.read_blocking(), writes);
}

// --- Condvar --------------------------------------------------------------------------------------------------------

TEST(condvar, unlocks_while_it_waits_and_locks_again) {
  Mutex<int> mutex(0);
  Condvar changed;
  auto guard = mutex.try_lock();
  ASSERT_TRUE(guard);
  Polled wait(changed.wait(*std::move(guard)));
  EXPECT_FALSE(mutex.try_lock()) << "not before the first poll";
  EXPECT_FALSE(wait.is_ready());
  auto other = mutex.try_lock();
  ASSERT_TRUE(other);
  **other = 1;
  changed.notify_one();
  EXPECT_EQ(wait.wakes(), 1);
  EXPECT_FALSE(wait.is_ready()) << "the mutex is taken";
  other.reset();
  ASSERT_TRUE(wait.is_ready());
  EXPECT_EQ(*wait.value(), 1);
  EXPECT_FALSE(mutex.try_lock());
}

TEST(condvar, a_notification_that_nobody_waits_for_is_not_kept) {
  Mutex<int> mutex(0);
  Condvar changed;
  changed.notify_one();
  changed.notify_all();
  Polled wait(changed.wait(*mutex.try_lock()));
  EXPECT_FALSE(wait.is_ready());
  EXPECT_EQ(wait.wakes(), 0);
}

TEST(condvar, a_wait_that_was_chosen_and_dropped_hands_on) {
  Mutex<int> mutex(0);
  Condvar changed;
  Polled first(changed.wait(*mutex.try_lock()));
  EXPECT_FALSE(first.is_ready());
  Polled second(changed.wait(*mutex.try_lock()));
  EXPECT_FALSE(second.is_ready());
  changed.notify_one();
  EXPECT_EQ(first.wakes(), 1);
  first.drop();
  EXPECT_EQ(second.wakes(), 1);
  EXPECT_TRUE(second.is_ready());
}

TEST(condvar, a_wait_that_was_chosen_and_is_dropped_while_it_waits_for_the_mutex_hands_on) {
  Mutex<int> mutex(0);
  Condvar changed;
  Polled first(changed.wait(*mutex.try_lock()));
  EXPECT_FALSE(first.is_ready());
  Polled second(changed.wait(*mutex.try_lock()));
  EXPECT_FALSE(second.is_ready());
  {
    const auto guard = mutex.try_lock();
    changed.notify_one();
    EXPECT_FALSE(first.is_ready());
    first.drop();
    EXPECT_EQ(second.wakes(), 1);
  }
  EXPECT_TRUE(second.is_ready());
}

TEST(condvar, everybody_is_told) {
  Mutex<int> mutex(0);
  Condvar changed;
  Polled first(changed.wait(*mutex.try_lock()));
  EXPECT_FALSE(first.is_ready());
  Polled second(changed.wait(*mutex.try_lock()));
  EXPECT_FALSE(second.is_ready());
  changed.notify_all();
  EXPECT_TRUE(first.is_ready());
  EXPECT_FALSE(second.is_ready()) << "the first has the lock";
  first.drop();
  EXPECT_TRUE(second.is_ready());
}

}  // namespace
}  // namespace skua::tests
