// OwnedTasks: every task of a scheduler that has not completed: what shutdown has to end.
//
// Sharded, so that workers that spawn and complete tasks seldom meet. Each shard is a list under a mutex with a closed
// flag: a spawn finds the flag under the same lock that shutdown set it under, so no task slips in behind shutdown.
#pragma once

#include <skua/core/atomic.hpp>
#include <skua/core/mutex.hpp>
#include <skua/scheduler/task_header.hpp>

#include <array>
#include <cstdint>
#include <utility>

namespace skua::scheduler {

class OwnedTasks {
 public:
  OwnedTasks() = default;
  OwnedTasks(const OwnedTasks&) = delete;
  OwnedTasks& operator=(const OwnedTasks&) = delete;

  /// Takes the list's reference of `task`. False: closed, the reference stays with the caller.
  [[nodiscard]] bool insert(TaskHeader* task);
  /// True: the task was in the list, and its reference is the caller's now.
  [[nodiscard]] bool remove(TaskHeader* task);
  /// From now on insert() refuses.
  void close();
  /// Takes a task out; its list's reference is the caller's. Null: all are gone.
  /// `start` spreads the workers that shut down together over the shards.
  [[nodiscard]] TaskHeader* pop(std::uint32_t start);
  struct Totals {
    std::size_t size = 0;
    std::uint64_t inserted = 0;  // since the beginning
  };
  /// Of moments that have passed, each shard of another.
  Totals totals();
  /// How many there are; of a moment that has passed.
  std::size_t size();
  /// Waits until there has been a moment without any task. False: there was none until `deadline`.
  bool wait_until_empty(Instant deadline);
  /// Whether there has been such a moment during the call; and none, if false, at some moment of it.
  bool is_empty();
  /// Calls `visit(TaskHeader&) -> bool` for each that is there throughout, until it returns false. A lock is held
  /// meanwhile, and released after each hundred: tasks may come and go between those. One caller at a time; others
  /// wait.
  template <class Visit>
  void walk(Visit visit) {
    const seam::Lock turn(walk_mutex_);
    for (Shard& shard : shards_) {
      bool goes_on = true;
      for (bool is_first = true; goes_on; is_first = false) {
        const seam::Lock lock(shard.mutex);
        if (is_first) shard.walker = shard.head;
        std::size_t left = tasks_a_step;
        for (; goes_on && shard.walker != nullptr && left > 0; --left) {
          goes_on = visit(*std::exchange(shard.walker, shard.walker->next_owned));
        }
        if (!goes_on) {
          shard.walker = nullptr;
          return;
        }
        goes_on = shard.walker != nullptr;
      }
    }
  }
  /// Returns when the walk() that goes on, if any does, is not at `task`: it may be in the list or not.
  void wait_for_walk(const TaskHeader* task) { const seam::Lock lock(shard_of(task).mutex); }
  /// Calls `visit(const TaskHeader&)` for each, with a lock held: it must do little.
  template <class Visit>
  void for_each(Visit visit) {
    for (Shard& shard : shards_) {
      const seam::Lock lock(shard.mutex);
      for (const TaskHeader* task = shard.head; task != nullptr; task = task->next_owned) visit(*task);
    }
  }

 private:
  static constexpr std::size_t shards = 16;
  static constexpr std::size_t tasks_a_step = 100;
  struct alignas(seam::cache_line) Shard {
    seam::Mutex mutex;
    TaskHeader* head SKUA_GUARDED_BY(mutex) = nullptr;
    TaskHeader* walker SKUA_GUARDED_BY(mutex) = nullptr;  // the next for walk(); null: there is none
    std::size_t size SKUA_GUARDED_BY(mutex) = 0;
    std::uint64_t inserted SKUA_GUARDED_BY(mutex) = 0;  // since the beginning
    bool is_awaited SKUA_GUARDED_BY(mutex) = false;
    seam::Condvar emptied;
    bool closed SKUA_GUARDED_BY(mutex) = false;
  };
  static void unlink(Shard& shard, TaskHeader* task) SKUA_REQUIRES(shard.mutex);
  Shard& shard_of(const TaskHeader* task) noexcept {
    return shards_[(reinterpret_cast<std::uintptr_t>(task) >> 7) % shards];  // blocks are multiples of 64 bytes
  }

  std::array<Shard, shards> shards_;
  seam::Mutex walk_mutex_;
};

}  // namespace skua::scheduler
