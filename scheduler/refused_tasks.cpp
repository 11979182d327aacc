#include <skua/scheduler/refused_tasks.hpp>

#include <new>
#include <string>
#include <utility>

namespace skua::scheduler {

namespace {
RefusedTask describe(const TaskHeader& task, Refusal why, std::source_location at) {
  return {TaskId(task.id), std::string(task.name()), why, at};
}
Refusal refusal_of(const TaskHeader& task) noexcept {
  if (!task.state.is_running()) return Refusal::unreached;
  return task.vtable->blocks ? Refusal::blocking : Refusal::polling;
}
}  // namespace

void RefusedTasks::add(TaskHeader* task) noexcept {
  const seam::Lock lock(mutex_);
  task->next_owned = polled_;
  polled_ = task;
}

void RefusedTasks::note_what_waits() noexcept {
  notes_what_waits_.store(true, std::memory_order_relaxed);  // relaxed: the flag of the shutdown that follows orders it
}

void RefusedTasks::add_waiting(TaskHeader* task) noexcept {
  if (!notes_what_waits_.load(std::memory_order_relaxed)) return;  // relaxed: see note_what_waits()
  const std::source_location at = task->vtable->waits_at(task);
  const bool has_begun = at.line() != 0;
  const seam::Lock lock(mutex_);
  if (waited_.size() == most) return;
  try {
    waited_.push_back(describe(*task, Refusal::waiting, has_begun ? at : task->spawned_at));
  } catch (const std::bad_alloc&) {  // a shorter report
  }
}

std::size_t RefusedTasks::running() {
  const seam::Lock lock(mutex_);
  std::size_t count = 0;
  for (const TaskHeader* task = polled_; task != nullptr; task = task->next_owned) {
    if (!task->state.is_complete()) ++count;
  }
  return count;
}

std::vector<RefusedTask> RefusedTasks::report(OwnedTasks& owned) {
  std::vector<RefusedTask> report;
  {
    const seam::Lock lock(mutex_);
    report = waited_;
    for (const TaskHeader* task = polled_; task != nullptr; task = task->next_owned) {
      if (!task->state.is_complete()) report.push_back(describe(*task, refusal_of(*task), task->spawned_at));
    }
  }
  std::size_t left = most;
  owned.for_each([&](const TaskHeader& task) {
    if (left > 0 && left-- > 0) report.push_back(describe(task, refusal_of(task), task.spawned_at));
  });
  return report;
}

void RefusedTasks::forget() noexcept {
  TaskHeader* next = nullptr;
  {
    const seam::Lock lock(mutex_);
    next = std::exchange(polled_, nullptr);
  }
  // Without the lock: the last reference may destroy an output.
  while (TaskHeader* const task = next) {
    next = std::exchange(task->next_owned, nullptr);
    task->drop_references();
  }
}

}  // namespace skua::scheduler
