// The task that this thread polls or destroys, and the task locals that are in force there.
//
// Out of line on purpose, as core/budget.cpp: a coroutine must never keep the address of a thread-local across a
// suspension.
#pragma once

#include <skua/scheduler/task_details.hpp>
#include <skua/scheduler/task_header.hpp>
#include <skua/scheduler/task_id.hpp>

#include <optional>
#include <string_view>

namespace skua {

/// The task that is polled or destroyed on this thread; nothing outside of tasks, as in block_on() itself.
std::optional<TaskId> current_task_id() noexcept;
/// The name that task was spawned with; empty if it has none, and outside of tasks.
std::string_view current_task_name() noexcept;

namespace scheduler {

/// A task local that is in force during one poll of the future that it was bound around; lies in that future.
struct LocalBinding {
  const void* key = nullptr;
  void* value = nullptr;
  const LocalBinding* outer = nullptr;
};

/// What a thread knows while it polls.
struct CurrentState {
  TaskHeader* task = nullptr;
  const LocalBinding* bindings = nullptr;  // the innermost
  InheritedLocals* inherited = nullptr;    // borrowed from who bound them; null: those of the task
};

/// With the inherited locals that are in force, whosever they are.
CurrentState current_state() noexcept;

/// Makes `state` this thread's until the object is destroyed.
class StateScope {
 public:
  explicit StateScope(const CurrentState& state) noexcept;
  ~StateScope();
  StateScope(const StateScope&) = delete;
  StateScope& operator=(const StateScope&) = delete;

 private:
  const CurrentState before_;
};

}  // namespace scheduler
}  // namespace skua
