// TaskScope: StateScope for the scheduler's own sources, without a call: one for each poll of a task.
//
// Not for headers of users: a coroutine must never keep the address of a thread-local across a suspension, and might if
// this were inlined into one.
#pragma once

#include <skua/scheduler/current_task.hpp>

namespace skua::scheduler {

extern constinit thread_local CurrentState this_thread_state;

/// For the poll, or the destruction, of the future of `task`: with what it has inherited, and nothing else.
class TaskScope {
 public:
  explicit TaskScope(TaskHeader* task) noexcept : before_(this_thread_state) {
    this_thread_state = CurrentState{task, nullptr, task->details ? task->details->locals.get() : nullptr};
  }
  ~TaskScope() { this_thread_state = before_; }
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;

 private:
  const CurrentState before_;
};

}  // namespace skua::scheduler
