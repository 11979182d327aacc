#include <skua/scheduler/current_task.hpp>
#include <skua/scheduler/task_scope.hpp>

#include <utility>

namespace skua::scheduler {

constinit thread_local CurrentState this_thread_state;

CurrentState current_state() noexcept { return {this_thread_state.task, this_thread_state.bindings, inherited_here()}; }
StateScope::StateScope(const CurrentState& state) noexcept : before_(std::exchange(this_thread_state, state)) {}
StateScope::~StateScope() { this_thread_state = before_; }

}  // namespace skua::scheduler

namespace skua {

std::optional<TaskId> current_task_id() noexcept {
  const scheduler::TaskHeader* const task = scheduler::current_state().task;
  return task == nullptr ? std::nullopt : std::optional(TaskId(task->id));
}

std::string_view current_task_name() noexcept {
  const scheduler::TaskHeader* const task = scheduler::current_state().task;
  return task == nullptr ? std::string_view() : task->name();
}

}  // namespace skua
