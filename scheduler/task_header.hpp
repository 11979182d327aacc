// TaskHeader: what the scheduler knows of a task. It lies in front of the future, in the same allocation.
#pragma once

#include <skua/core/context.hpp>
#include <skua/core/waker.hpp>
#include <skua/scheduler/task_details.hpp>
#include <skua/scheduler/task_state.hpp>

#include <cstdint>
#include <memory>
#include <source_location>
#include <string_view>

namespace skua::scheduler {

class Scheduler;
struct TaskHeader;

/// What depends on the type of the future. Each runs with TaskState::running held, or on the sole owner.
struct TaskVtable {
  /// True: the future was ready; it is destroyed and the output stored.
  bool (*poll)(TaskHeader* task, Context& context) noexcept;
  /// Destroys the future; the output is JoinError::cancelled.
  void (*cancel)(TaskHeader* task) noexcept;
  /// Moves the output into the std::optional<Result<T, JoinError>> at `destination`, and destroys it.
  void (*take_output)(TaskHeader* task, void* destination) noexcept;
  void (*drop_output)(TaskHeader* task) noexcept;
  /// Returns the memory. Future and output are gone.
  void (*deallocate)(TaskHeader* task) noexcept;
  /// The await where the future waits; an empty one if it has not begun, or is no coroutine.
  std::source_location (*waits_at)(TaskHeader* task) noexcept;
  /// A function that blocks: polled once, by a thread that may wait. See Scheduler::spawn_blocking().
  bool blocks;
};

struct TaskHeader {
  TaskHeader(const TaskVtable* task_vtable, std::source_location spawn_site) noexcept
      : vtable(task_vtable), spawned_at(spawn_site) {}

  TaskState state;
  const TaskVtable* const vtable;
  Scheduler* scheduler = nullptr;        // counted; set once, before the task is shared
  std::uint64_t id = 0;                  // see TaskId; set with it
  std::unique_ptr<TaskDetails> details;  // few have any; set with it
  TaskHeader* next_owned = nullptr;      // links of OwnedTasks, guarded by its shard; then of RefusedTasks
  TaskHeader* previous_owned = nullptr;
  Waker join_waker;  // see TaskState, invariant 4
  const std::source_location spawned_at;

  std::string_view name() const noexcept { return details ? std::string_view(details->name) : std::string_view(); }

  void add_reference() noexcept { state.add_reference(); }
  void drop_references(std::uint64_t count = 1) noexcept {
    if (state.drop_references(count)) deallocate();
  }
  /// Nobody refers to the task any more.
  void deallocate() noexcept;
};

/// A waker's vtable whose data is a TaskHeader.
extern const WakerVtable task_waker_vtable;

/// Queues the task if it has to be polled, and carries out what else the transition asked for.
void carry_out(TaskState::Wake duty, TaskHeader* task) noexcept;

}  // namespace skua::scheduler
