// AbortHandle: may end a task, without the right to its output.
#pragma once

#include <skua/scheduler/task_header.hpp>
#include <skua/scheduler/task_id.hpp>

#include <string_view>
#include <utility>

namespace skua {

/// Copies stand for the same task; dropping them all changes nothing for it. Keeps the task's memory, though neither
/// its future nor its output. Thread safety: as a value; abort() and is_finished() from any thread.
class AbortHandle {
 public:
  AbortHandle(const AbortHandle& other) noexcept : AbortHandle(other.task_) {}
  AbortHandle(AbortHandle&& other) noexcept : task_(std::exchange(other.task_, nullptr)) {}
  AbortHandle& operator=(AbortHandle other) noexcept {
    std::swap(task_, other.task_);
    return *this;
  }
  ~AbortHandle() {
    if (task_ != nullptr) task_->drop_references();
  }

  /// As JoinHandle::abort(): the future is destroyed at the await where it waits, on a worker. Returns at once.
  void abort() const noexcept { scheduler::carry_out(task_->state.cancel(), task_); }
  /// True once the future is destroyed.
  bool is_finished() const noexcept { return task_->state.is_complete(); }
  TaskId id() const noexcept { return TaskId(task_->id); }
  /// What the task was spawned with, or empty. Valid as long as this handle.
  std::string_view name() const noexcept { return task_->name(); }

  // For JoinHandle: adds a reference of its own.
  explicit AbortHandle(scheduler::TaskHeader* task) noexcept : task_(task) {
    if (task_ != nullptr) task_->add_reference();
  }

 private:
  scheduler::TaskHeader* task_;
};

}  // namespace skua
