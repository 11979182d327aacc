// OwnedTasks: every task of a scheduler that has not completed: what shutdown has to end.
//
// Sharded, so that workers that spawn and complete tasks seldom meet. Each shard is a list under a mutex with a closed
// flag: a spawn finds the flag under the same lock that shutdown set it under, so no task slips in behind shutdown.
#pragma once

#include <skua/core/atomic.hpp>
#include <skua/core/mutex.hpp>
#include <skua/scheduler/task_header.hpp>

#include <array>

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
  /// How many there are.
  std::size_t size();

 private:
  static constexpr std::size_t shards = 16;
  struct alignas(seam::cache_line) Shard {
    seam::Mutex mutex;
    TaskHeader* head SKUA_GUARDED_BY(mutex) = nullptr;
    std::size_t size SKUA_GUARDED_BY(mutex) = 0;
    bool closed SKUA_GUARDED_BY(mutex) = false;
  };
  static void unlink(Shard& shard, TaskHeader* task) SKUA_REQUIRES(shard.mutex);
  Shard& shard_of(const TaskHeader* task) noexcept {
    return shards_[(reinterpret_cast<std::uintptr_t>(task) >> 7) % shards];  // blocks are multiples of 64 bytes
  }

  std::array<Shard, shards> shards_;
};

}  // namespace skua::scheduler
