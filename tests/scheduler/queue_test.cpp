// The worker's ring and the inject queue under real threads: each task comes out exactly once.
#include <skua/scheduler/fair_queue.hpp>
#include <skua/scheduler/inject_queue.hpp>
#include <skua/scheduler/local_queue.hpp>

#include "../support/probe.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

namespace skua::scheduler {

using namespace tests;

namespace {

struct Item {
  std::atomic<int> taken{0};
};
using Ring = LocalQueue<Item, 256>;

TEST(local_queue, is_first_in_first_out) {
  for (const std::uint32_t first : {0u, 255u, ~0u - 10}) {
    LocalQueue<Item, 8> queue(first);
    std::array<Item, 8> items;
    EXPECT_TRUE(queue.is_empty());
    EXPECT_EQ(queue.pop(), nullptr);
    for (auto& item : items) EXPECT_TRUE(queue.push(&item));
    Item extra;
    EXPECT_FALSE(queue.push(&extra));
    EXPECT_EQ(queue.size(), 8u);
    for (auto& item : items) EXPECT_EQ(queue.pop(), &item);
    EXPECT_EQ(queue.pop(), nullptr);
  }
}

TEST(local_queue, full_ring_gives_its_newer_half_in_order) {
  for (const std::uint32_t first : {0u, ~0u - 5}) {
    LocalQueue<Item, 8> queue(first);
    std::array<Item, 8> items;
    std::array<Item*, 4> room;
    EXPECT_TRUE(queue.take_half(room).empty()) << "it is not full";
    for (auto& item : items) EXPECT_TRUE(queue.push(&item));
    const auto half = queue.take_half(room);
    ASSERT_EQ(half.size(), 4u);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(half[i], &items[4 + i]);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(queue.pop(), &items[i]);
    EXPECT_TRUE(queue.is_empty());
  }
}

TEST(local_queue, thief_takes_half_rounded_up) {
  for (std::uint32_t count = 1; count <= 8; ++count) {
    LocalQueue<Item, 8> victim(~0u - 3), thief(7);
    std::array<Item, 8> items;
    for (std::uint32_t i = 0; i < count; ++i) EXPECT_TRUE(victim.push(&items[i]));
    const std::uint32_t half = count - count / 2;
    EXPECT_EQ(victim.steal_into(thief), &items[half - 1]);
    EXPECT_EQ(thief.size(), half - 1);
    EXPECT_EQ(victim.size(), count - half);
    for (std::uint32_t i = 0; i + 1 < half; ++i) EXPECT_EQ(thief.pop(), &items[i]);
    for (std::uint32_t i = half; i < count; ++i) EXPECT_EQ(victim.pop(), &items[i]);
  }
}

TEST(local_queue, thief_with_no_room_takes_nothing) {
  LocalQueue<Item, 8> victim, thief;
  std::array<Item, 16> items;
  for (std::size_t i = 0; i < 8; ++i) EXPECT_TRUE(victim.push(&items[i]));
  for (std::size_t i = 8; i < 13; ++i) EXPECT_TRUE(thief.push(&items[i]));
  EXPECT_EQ(victim.steal_into(thief), nullptr);
  EXPECT_EQ(victim.size(), 8u);
}

TEST(local_queue, one_owner_and_two_thieves_take_each_task_once) {
  constexpr std::size_t count = scaled<std::size_t>(500'000, 100'000);
  for (const std::uint32_t first : {0u, ~0u - 1000}) {
    Ring queue(first);
    std::vector<Item> items(count);
    std::atomic<std::size_t> taken{0};
    const auto take = [&](Item* item) {
      item->taken.fetch_add(1, std::memory_order_relaxed);
      taken.fetch_add(1, std::memory_order_relaxed);
    };
    std::vector<std::thread> thieves;
    for (int i = 0; i < 2; ++i) {
      thieves.emplace_back([&, i] {
        Ring mine(~0u - static_cast<std::uint32_t>(i) * 50);
        while (taken.load(std::memory_order_relaxed) < count) {
          if (Item* item = queue.steal_into(mine)) take(item);
          while (Item* item = mine.pop()) take(item);
        }
      });
    }
    std::array<Item*, Ring::capacity / 2> room;
    for (std::size_t i = 0; i < count; ++i) {
      if (!queue.push(&items[i])) {
        for (Item* item : queue.take_half(room)) take(item);
        take(&items[i]);
      }
      if (i % 3 == 0) {
        if (Item* item = queue.pop()) take(item);
      }
    }
    while (Item* item = queue.pop()) take(item);
    for (auto& thief : thieves) thief.join();
    EXPECT_EQ(taken.load(), count);
    for (const auto& item : items) ASSERT_EQ(item.taken.load(), 1);
  }
}

using Inject = InjectQueue<Item, FairQueue<Item>>;

TEST(inject_queue, is_first_in_first_out_for_one_thread) {
  Inject queue;
  std::vector<Item> items(1000);
  for (auto& item : items) EXPECT_TRUE(queue.push(&item));
  EXPECT_EQ(queue.size(), 1000u);
  std::array<Item*, 64> room;
  std::size_t next = 0;
  while (const std::size_t taken = queue.pop(room)) {
    for (std::size_t i = 0; i < taken; ++i) ASSERT_EQ(room[i], &items[next++]);
  }
  EXPECT_EQ(next, items.size());
}

TEST(inject_queue, a_thread_that_pushes_all_the_time_does_not_hide_another) {
  Inject queue;
  Item early, late;
  EXPECT_TRUE(queue.push(&early));
  // Of three threads none is the first or the last.
  std::atomic<int> begun{0};
  std::vector<std::thread> threads;
  std::atomic<bool> done{false};
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 200; ++n) EXPECT_TRUE(queue.push(&late));
      begun.fetch_add(1);
      while (!done) std::this_thread::yield();
    });
  }
  EXPECT_TRUE(eventually([&] { return begun.load() == 2; }));
  std::array<Item*, 1> room;
  bool found = false;
  for (int taken = 0; taken < 400 && !found; ++taken) {
    ASSERT_EQ(queue.pop(room), 1u);
    found = room[0] == &early;
    EXPECT_TRUE(queue.push(&late));
  }
  EXPECT_TRUE(found);
  done = true;
  for (auto& thread : threads) thread.join();
}

TEST(inject_queue, closed_it_tells_every_pusher_to_drain) {
  Inject queue;
  std::array<Item, 3> items;
  EXPECT_TRUE(queue.push(&items[0]));
  queue.close();
  EXPECT_FALSE(queue.push(&items[1]));
  std::array<Item*, 2> pair{&items[1], &items[2]};
  EXPECT_FALSE(queue.push(std::span<Item*>(pair)));
  std::array<Item*, 8> room;
  std::size_t drained = 0;
  while (const std::size_t taken = queue.pop(room)) drained += taken;
  EXPECT_EQ(drained, 4u);
}

TEST(inject_queue, many_producers_and_consumers_take_each_task_once) {
  constexpr std::size_t each = scaled<std::size_t>(100'000, 20'000);
  constexpr std::size_t producers = 4;
  constexpr std::size_t consumers = 3;
  Inject queue;
  std::vector<Item> items(each * producers);
  std::atomic<std::size_t> taken{0};
  std::vector<std::thread> threads;
  for (std::size_t p = 0; p < producers; ++p) {
    threads.emplace_back([&, p] {
      std::array<Item*, 5> some;
      for (std::size_t i = 0; i < each; i += some.size()) {
        for (std::size_t k = 0; k < some.size(); ++k) some[k] = &items[p * each + i + k];
        if (i % 2 == 0) {
          EXPECT_TRUE(queue.push(std::span<Item*>(some)));
        } else {
          for (Item* item : some) EXPECT_TRUE(queue.push(item));
        }
      }
    });
  }
  for (std::size_t c = 0; c < consumers; ++c) {
    threads.emplace_back([&] {
      std::array<Item*, 16> room;
      while (taken.load(std::memory_order_relaxed) < items.size()) {
        const std::size_t count = queue.pop(room);
        for (std::size_t i = 0; i < count; ++i) room[i]->taken.fetch_add(1, std::memory_order_relaxed);
        taken.fetch_add(count, std::memory_order_relaxed);
        if (count == 0) std::this_thread::yield();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(taken.load(), items.size());
  EXPECT_FALSE(queue.has_work());
  for (const auto& item : items) ASSERT_EQ(item.taken.load(), 1);
}

}  // namespace
}  // namespace skua::scheduler
