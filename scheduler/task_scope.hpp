// TaskScope and PollScope: StateScope for the scheduler's own sources, without a call.
//
// Not for headers of users: a coroutine must never keep the address of a thread-local across a suspension, and might if
// this were inlined into one.
#pragma once

#include <skua/core/assert.hpp>
#include <skua/scheduler/current_task.hpp>

namespace skua::scheduler {

extern constinit thread_local CurrentState this_thread_state;

/// See CurrentState::inherited.
inline InheritedLocals* inherited_here() noexcept {
  const CurrentState& state = this_thread_state;
  if (state.inherited != nullptr) return state.inherited;
  return state.task != nullptr && state.task->details ? state.task->details->locals.get() : nullptr;
}

/// For the destruction of the future of `task`, wherever that happens: with what it has inherited, and nothing else.
class TaskScope {
 public:
  explicit TaskScope(TaskHeader* task) noexcept : before_(this_thread_state) {
    this_thread_state = CurrentState{task, nullptr, nullptr};
  }
  ~TaskScope() { this_thread_state = before_; }
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;

 private:
  const CurrentState before_;
};

/// For a poll by a worker, which has no state of its own: between two polls there is none to keep.
class PollScope {
 public:
  explicit PollScope(TaskHeader* task) noexcept {
    SKUA_ASSERT(this_thread_state.task == nullptr && this_thread_state.bindings == nullptr);
    this_thread_state.task = task;
  }
  ~PollScope() { this_thread_state.task = nullptr; }
  PollScope(const PollScope&) = delete;
  PollScope& operator=(const PollScope&) = delete;
};

}  // namespace skua::scheduler
