#include <skua/scheduler/current_task.hpp>

#include <utility>

namespace skua::scheduler {

namespace {
constinit thread_local CurrentState current;
}  // namespace

CurrentState current_state() noexcept { return current; }
StateScope::StateScope(const CurrentState& state) noexcept : before_(std::exchange(current, state)) {}
StateScope::~StateScope() { current = before_; }

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
