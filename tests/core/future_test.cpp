// What futures are made of: wakers, results, the budget, the memory of frames.
#include <skua/core/budget.hpp>
#include <skua/core/clock.hpp>
#include <skua/core/frame_allocator.hpp>
#include <skua/core/result.hpp>
#include <skua/core/task.hpp>
#include <skua/core/waker.hpp>

#include "../support/probe.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <thread>

namespace skua::tests {
namespace {

struct Calls {
  int clones = 0, wakes = 0, wakes_by_ref = 0, drops = 0;
  int owners() const { return 1 + clones - wakes - drops; }
};
constexpr WakerVtable counting{
    .clone = [](void* data) { ++static_cast<Calls*>(data)->clones; },
    .wake = [](void* data) { ++static_cast<Calls*>(data)->wakes; },
    .wake_by_ref = [](void* data) { ++static_cast<Calls*>(data)->wakes_by_ref; },
    .drop = [](void* data) { ++static_cast<Calls*>(data)->drops; },
};

TEST(waker, copies_clone_and_moves_do_not) {
  Calls calls;
  {
    Waker first(&calls, &counting);
    const Waker copy = first;
    EXPECT_EQ(calls.clones, 1);
    const Waker moved = std::move(first);
    EXPECT_EQ(calls.clones, 1);
    EXPECT_FALSE(first);
    EXPECT_TRUE(moved);
    Waker assigned;
    assigned = copy;
    EXPECT_EQ(calls.clones, 2);
    EXPECT_EQ(calls.drops, 0);
  }
  EXPECT_EQ(calls.drops, 3);
  EXPECT_EQ(calls.owners(), 0);
}

TEST(waker, wake_consumes_its_owner_and_wake_by_ref_does_not) {
  Calls calls;
  Waker waker(&calls, &counting);
  waker.wake_by_ref();
  waker.wake_by_ref();
  EXPECT_EQ(calls.wakes_by_ref, 2);
  std::move(waker).wake();
  EXPECT_EQ(calls.wakes, 1);
  EXPECT_FALSE(waker);
  std::move(waker).wake();  // empty: nothing
  waker.wake_by_ref();
  EXPECT_EQ(calls.wakes, 1);
  EXPECT_EQ(calls.wakes_by_ref, 2);
  EXPECT_EQ(calls.owners(), 0);
}

TEST(waker, self_assignment_keeps_the_owner) {
  Calls calls;
  {
    Waker waker(&calls, &counting);
    Waker& same = waker;
    waker = same;
    EXPECT_TRUE(waker);
    EXPECT_EQ(calls.owners(), 1);
  }
  EXPECT_EQ(calls.owners(), 0);
}

TEST(waker, will_wake_knows_the_same_task_only) {
  Calls one, other;
  const Waker waker(&one, &counting);
  const Waker copy = waker;
  const Waker stranger(&other, &counting);
  EXPECT_TRUE(waker.will_wake(copy));
  EXPECT_FALSE(waker.will_wake(stranger));
  EXPECT_TRUE(Waker::noop().will_wake(Waker::noop()));
}

TEST(waker, borrowed_waker_neither_clones_nor_drops) {
  Calls calls;
  {
    const BorrowedWaker borrowed(&calls, &counting);
    borrowed.get().wake_by_ref();
    const Waker copy = borrowed.get();
    EXPECT_EQ(calls.clones, 1);
  }
  EXPECT_EQ(calls.wakes_by_ref, 1);
  EXPECT_EQ(calls.drops, 1);
  EXPECT_EQ(calls.owners(), 1);
}

struct Target {
  explicit Target(Census& census) : counted(census) {}
  void wake() noexcept { wakes.fetch_add(1); }
  Counted counted;
  std::atomic<int> wakes{0};
};

TEST(make_waker, shared_object_is_destroyed_once_with_the_last_clone) {
  Census census;
  {
    auto target = std::make_shared<Target>(census);
    Waker first = make_waker(target);
    Waker second = first;
    EXPECT_TRUE(first.will_wake(second));
    second.wake_by_ref();
    std::move(first).wake();
    EXPECT_EQ(target->wakes.load(), 2);
    target.reset();
    EXPECT_EQ(census.alive(), 1);
    std::move(second).wake();
    EXPECT_EQ(census.alive(), 0);
  }
  EXPECT_EQ(census.made.load(), 1);
  EXPECT_EQ(census.destroyed.load(), 1);
}

struct CountedTarget : RefCounted<CountedTarget> {
  explicit CountedTarget(Census& census) : counted(census) {}
  void wake() noexcept { ++wakes; }
  Counted counted;
  int wakes = 0;
};

TEST(make_waker, ref_counted_object_is_destroyed_once_with_the_last_clone) {
  Census census;
  {
    Waker waker;
    {
      const auto target = make_ref<CountedTarget>(census);
      waker = make_waker(target);
      waker.wake_by_ref();
      EXPECT_EQ(target->wakes, 1);
    }
    EXPECT_EQ(census.alive(), 1);
  }
  EXPECT_EQ(census.destroyed.load(), 1);
}

TEST(make_waker, clones_on_four_threads_destroy_the_object_once) {
  Census census;
  {
    Waker waker = make_waker(std::make_shared<Target>(census));
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([waker] {
        for (int round = 0; round < 2000; ++round) {
          Waker copy = waker;
          round % 2 == 0 ? std::move(copy).wake() : copy.wake_by_ref();
        }
      });
    }
    waker = Waker();
    for (auto& thread : threads) thread.join();
  }
  EXPECT_EQ(census.made.load(), 1);
  EXPECT_EQ(census.destroyed.load(), 1);
}

TEST(poll, holds_a_move_only_value) {
  Poll<std::unique_ptr<int>> poll = std::make_unique<int>(7);
  ASSERT_TRUE(poll.is_ready());
  EXPECT_EQ(*std::move(poll).take(), 7);
  const Poll<std::unique_ptr<int>> none = pending;
  EXPECT_TRUE(none.is_pending());
}

// --- Result ---------------------------------------------------------------------------------------------------------

Result<int> refused() { return Error(std::errc::connection_refused, "connect", "10.0.0.1:80"); }

TEST(result, structured_binding_gives_code_and_value) {
  auto [no_error, value] = Result<int>(42);
  EXPECT_FALSE(no_error);
  EXPECT_EQ(value, 42);
  auto [error, nothing] = refused();
  EXPECT_EQ(error, std::errc::connection_refused);
  EXPECT_EQ(nothing, 0);
  auto [void_error] = Result<void>(Error(std::errc::broken_pipe));
  EXPECT_EQ(void_error, std::errc::broken_pipe);
}

TEST(result, value_throws_system_error_with_operation_and_endpoint) {
  try {
    static_cast<void>(refused().value());
    FAIL() << "value() of an error returned";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::connection_refused);
    EXPECT_NE(std::string(error.what()).find("connect 10.0.0.1:80"), std::string::npos) << error.what();
  }
  EXPECT_EQ(refused().error().message(), "connect 10.0.0.1:80: Connection refused");
}

TEST(result, move_only_value_moves_out) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(5);
  ASSERT_TRUE(result);
  EXPECT_EQ(**result, 5);
  const std::unique_ptr<int> taken = *std::move(result);
  EXPECT_EQ(*taken, 5);
  auto [code, bound] = Result<std::unique_ptr<int>>(std::make_unique<int>(6));
  EXPECT_FALSE(code);
  EXPECT_EQ(*bound, 6);
}

TEST(result, void_result_holds_success_or_error) {
  const Result<void> success;
  EXPECT_TRUE(success);
  EXPECT_NO_THROW(success.value());
  const Result<void> failure = Error(std::errc::timed_out, "timeout");
  EXPECT_FALSE(failure);
  EXPECT_EQ(failure.error(), std::errc::timed_out);
  EXPECT_THROW(failure.value(), std::system_error);
}

TEST(result, value_or_takes_the_fallback_for_an_error_only) {
  EXPECT_EQ(Result<int>(1).value_or(2), 1);
  EXPECT_EQ(refused().value_or(2), 2);
}

// --- Clock ----------------------------------------------------------------------------------------------------------

TEST(clock, saturating_add_accepts_any_duration) {
  const Instant start = seam::now();
  EXPECT_EQ(saturating_add(start, std::chrono::hours::max()), Instant::max());
  EXPECT_EQ(saturating_add(start, Duration::max()), Instant::max());
  EXPECT_EQ(saturating_add(start, std::chrono::hours::min()), start);
  EXPECT_EQ(saturating_add(start, std::chrono::seconds(-1)), start);
  EXPECT_EQ(saturating_add(start, std::chrono::seconds(1)), start + std::chrono::seconds(1));
  EXPECT_EQ(saturating_add(Instant::max() - Duration(1), std::chrono::seconds(1)), Instant::max());
  EXPECT_GE(saturating_add(start, std::chrono::duration<double, std::nano>(0.5)), start + Duration(1));
}

// --- Budget ---------------------------------------------------------------------------------------------------------

TEST(budget, outside_of_a_scheduler_it_is_unlimited) {
  CountedContext context;
  for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(budget::take(context));
  EXPECT_EQ(context.wakes(), 0);
}

TEST(budget, exhausted_it_wakes_the_task_that_asks) {
  CountedContext context;
  const budget::Grant grant(3);
  EXPECT_TRUE(budget::take(context));
  EXPECT_TRUE(budget::take(context));
  EXPECT_TRUE(budget::take(context));
  EXPECT_EQ(context.wakes(), 0);
  EXPECT_FALSE(budget::take(context));
  EXPECT_EQ(context.wakes(), 1);
}

TEST(budget, is_given_back_unless_it_is_exhausted) {
  CountedContext context;
  const budget::Grant grant(2);
  EXPECT_TRUE(budget::take(context));
  budget::give_back();
  EXPECT_EQ(budget::remaining(), 2u);
  EXPECT_TRUE(budget::take(context));
  EXPECT_TRUE(budget::take(context));
  budget::give_back();
  EXPECT_EQ(budget::remaining(), 0u) << "so that a refusal in the meantime can be told";
}

TEST(budget, ends_with_the_slice_of_time_too) {
  CountedContext context;
  const auto work = [&] {
    const Instant end = seam::now() + budget::slice / 4;
    while (seam::now() < end) {
    }
    return budget::take(context);
  };
  const budget::Grant grant(budget::per_poll);
  std::uint32_t taken = 0;
  while (work()) ++taken;
  EXPECT_GE(taken, budget::units_per_look) << "the first look only starts the clock";
  EXPECT_LE(taken, 3 * budget::units_per_look) << "looks at 8 and 16, which is two slices later";
  EXPECT_EQ(context.wakes(), 1);
  EXPECT_EQ(budget::remaining(), 0u);
  {
    const budget::Grant next(budget::per_poll);
    EXPECT_TRUE(work()) << "a new poll has a slice of its own";
    EXPECT_EQ(budget::remaining(), budget::per_poll - 1);
  }
  EXPECT_EQ(budget::remaining(), 0u);
}

TEST(budget, grants_nest_and_end) {
  CountedContext context;
  {
    const budget::Grant outer(2);
    {
      const budget::Grant inner(10);
      EXPECT_TRUE(budget::take(context));
      EXPECT_EQ(budget::remaining(), 9u);
    }
    EXPECT_EQ(budget::remaining(), 2u);
  }
  EXPECT_EQ(budget::remaining(), budget::unlimited);
}

// --- Frame memory ---------------------------------------------------------------------------------------------------

TEST(frame_allocator, blocks_of_all_sizes_are_usable_and_aligned) {
  std::vector<std::pair<void*, std::size_t>> blocks;
  for (std::size_t size = 1; size < 5000; size += 37) {
    void* block = frames::allocate(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % __STDCPP_DEFAULT_NEW_ALIGNMENT__, 0u);
    std::memset(block, 0x5a, size);
    blocks.emplace_back(block, size);
  }
  for (const auto& [block, size] : blocks) {
    EXPECT_EQ(static_cast<unsigned char*>(block)[size - 1], 0x5a);
    frames::deallocate(block, size);
  }
}

// Compares what used to be pointers: the block itself is gone.
bool is_handed_out_again(std::uintptr_t block, std::size_t size) {
  void* const again = frames::allocate(size);
  const bool same = reinterpret_cast<std::uintptr_t>(again) == block;
  frames::deallocate(again, size);
  return same;
}

TEST(frame_allocator, freed_block_is_kept_for_the_next_of_its_size) {
  if (address_sanitized) GTEST_SKIP() << "with address sanitizer every block is malloc's own";
  void* const block = frames::allocate(300);
  const auto address = reinterpret_cast<std::uintptr_t>(block);
  frames::deallocate(block, 300);
  EXPECT_TRUE(is_handed_out_again(address, 310));  // the same class of 64 bytes
}

TEST(frame_allocator, block_freed_by_another_thread_joins_that_threads_list) {
  if (address_sanitized) GTEST_SKIP() << "with address sanitizer every block is malloc's own";
  void* const block = frames::allocate(500);
  const auto address = reinterpret_cast<std::uintptr_t>(block);
  bool kept = false;
  std::thread([&] {
    frames::deallocate(block, 500);
    kept = is_handed_out_again(address, 500);
  }).join();
  EXPECT_TRUE(kept);
}

TEST(frame_allocator, blocks_wander_between_threads) {
  std::vector<std::vector<void*>> handed(4);
  for (int round = 0; round < 20; ++round) {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 4; ++i) {
      threads.emplace_back([&handed, i] {
        std::vector<void*>& mine = handed[i];
        for (void* block : mine) frames::deallocate(block, 128);
        mine.clear();
        for (int n = 0; n < 200; ++n) mine.push_back(std::memset(frames::allocate(128), n, 128));
      });
    }
    for (auto& thread : threads) thread.join();
    std::rotate(handed.begin(), handed.begin() + 1, handed.end());
  }
  for (auto& blocks : handed) {
    for (void* block : blocks) frames::deallocate(block, 128);
  }
}

Task<int> holds(Counted) { co_return 1; }

// Destroys another frame of its own in its destructor, as a task that owns a task does.
struct DestroysAnother {
  Census& census;
  ~DestroysAnother() {
    auto other = holds(Counted(census)).release();
    const std::size_t size = frames::destroy_keeping_memory(other);
    frames::deallocate_frame(other.address(), size);
  }
};
Task<int> nested(std::unique_ptr<DestroysAnother>) { co_return 2; }

TEST(frame_allocator, destroy_keeping_memory_tells_the_size_of_its_own_frame) {
  Census census;
  auto plain = holds(Counted(census)).release();
  const std::size_t plain_size = frames::destroy_keeping_memory(plain);
  EXPECT_EQ(census.alive(), 0);
  std::memset(plain.address(), 0, plain_size);  // still ours
  frames::deallocate_frame(plain.address(), plain_size);

  auto outer = nested(std::make_unique<DestroysAnother>(DestroysAnother{census})).release();
  const std::size_t outer_size = frames::destroy_keeping_memory(outer);
  EXPECT_EQ(census.alive(), 0);
  std::memset(outer.address(), 0, outer_size);
  frames::deallocate_frame(outer.address(), outer_size);
}

}  // namespace
}  // namespace skua::tests
