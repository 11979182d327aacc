// RefusedTasks: what shutdown has to say of tasks that did not end when they were to. Private.
//
// A task that somebody is polling when shutdown comes to it is kept here, with the reference that the list of owned
// tasks had, until it is forgotten. One that waits is written down before it is destroyed, if that was asked for.
// Thread safety: any thread.
#pragma once

#include <skua/core/atomic.hpp>
#include <skua/core/mutex.hpp>
#include <skua/scheduler/owned_tasks.hpp>
#include <skua/scheduler/refused_task.hpp>

#include <cstddef>
#include <vector>

namespace skua::scheduler {

class RefusedTasks {
 public:
  RefusedTasks() = default;
  RefusedTasks(const RefusedTasks&) = delete;
  RefusedTasks& operator=(const RefusedTasks&) = delete;

  /// Takes over a reference to `task`, which somebody polls.
  void add(TaskHeader* task) noexcept;
  /// From now on add_waiting() counts.
  void note_what_waits() noexcept;
  /// `task` is about to be destroyed where it waits. The caller has TaskState::running.
  void add_waiting(TaskHeader* task) noexcept;

  /// Of those that were added: how many have not ended.
  std::size_t running();
  /// Those, what is left in `owned`, and what waited.
  std::vector<RefusedTask> report(OwnedTasks& owned);
  /// Drops the references. What waited stays written down.
  void forget() noexcept;

 private:
  static constexpr std::size_t most = 1000;  // of each kind

  seam::Atomic<bool> notes_what_waits_{false};
  seam::Mutex mutex_;
  TaskHeader* polled_ SKUA_GUARDED_BY(mutex_) = nullptr;  // linked by next_owned; a reference each
  std::vector<RefusedTask> waited_ SKUA_GUARDED_BY(mutex_);
};

}  // namespace skua::scheduler
