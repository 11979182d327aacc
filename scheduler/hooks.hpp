// Hooks: functions of the user's that the runtime calls when threads and tasks come and go. See Builder.
#pragma once

#include <skua/scheduler/task_id.hpp>

#include <functional>
#include <source_location>
#include <string_view>

namespace skua {

/// What a hook is told of a task; valid during the call.
struct TaskInfo {
  TaskId id;
  std::string_view name;  // empty: it has none
  std::source_location spawned_at;
};

/// Each may be empty, which costs one look. They are called on the thread that they are about, must not throw, and
/// hold up that thread, or the task, for as long as they take.
struct Hooks {
  std::function<void()> on_thread_start;               // workers and the blocking pool: before anything else runs there
  std::function<void()> on_thread_stop;                // the same: after everything else
  std::function<void()> on_thread_park;                // a worker has nothing to do, and is about to sleep
  std::function<void()> on_thread_unpark;              // it is awake again
  std::function<void(const TaskInfo&)> on_task_spawn;  // before its first poll, by who spawns it
  std::function<void(const TaskInfo&)> on_task_end;    // its future is destroyed, the joiner does not know yet
};

}  // namespace skua
