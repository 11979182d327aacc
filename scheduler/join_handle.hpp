// JoinHandle<T>: owns the right to a task's output, and may end the task.
//
//   JoinHandle<int> handle = spawn(compute());
//   JoinResult<int> result = co_await handle;   // or handle.abort()
//
// Thread safety: as a value; the task may run on any thread meanwhile.
#pragma once

#include <skua/core/assert.hpp>
#include <skua/core/budget.hpp>
#include <skua/core/poll.hpp>
#include <skua/scheduler/abort_handle.hpp>
#include <skua/scheduler/join_error.hpp>
#include <skua/scheduler/task_header.hpp>

#include <optional>
#include <utility>

namespace skua {

/// The part that does not depend on the type.
class JoinHandleBase {
 public:
  /// Asks for the end of the task: its future is destroyed at the await where it waits, on a worker, and the join
  /// yields a cancelled JoinError. A task that is running ends at its next await; one that has ended stays as it is.
  /// Any thread. Returns at once.
  void abort() noexcept { scheduler::carry_out(task_->state.cancel(), task_); }

  /// True once the future is destroyed and the output is there: a join is ready then.
  bool is_finished() const noexcept { return task_->state.is_complete(); }

  /// For who may end the task, but does not wait for it.
  AbortHandle abort_handle() const noexcept { return AbortHandle(task_); }
  TaskId id() const noexcept { return TaskId(task_->id); }
  /// What the task was spawned with, or empty. Valid as long as this handle.
  std::string_view name() const noexcept { return task_->name(); }

  /// False: moved from.
  bool is_valid() const noexcept { return task_ != nullptr; }

  // For collections of tasks ------------------------------------------------------------------------------------

  /// True if the output may be taken now; otherwise the context's waker is woken when it may. Takes no budget.
  bool poll_finished(Context& context) noexcept;
  /// Ends the task here and now: its future is destroyed by the caller, unless a worker is in the middle of polling
  /// it; then that worker does, as soon as the poll returns.
  void end_now() noexcept;

 protected:
  explicit JoinHandleBase(scheduler::TaskHeader* task) noexcept : task_(task) {}
  JoinHandleBase(JoinHandleBase&& other) noexcept : task_(std::exchange(other.task_, nullptr)), taken_(other.taken_) {}
  JoinHandleBase& operator=(JoinHandleBase&& other) noexcept {
    std::swap(task_, other.task_);
    std::swap(taken_, other.taken_);
    return *this;
  }
  ~JoinHandleBase() {
    if (task_ != nullptr) detach();
  }

  scheduler::TaskHeader* task_;
  bool taken_ = false;  // the output is gone: nobody drops it again

 private:
  void detach() noexcept;
};

template <class T>
class [[nodiscard("dropping the handle detaches the task: say so with std::move(handle).detach()")]] JoinHandle
    : public JoinHandleBase {
 public:
  /// Takes over the handle's reference of a task whose output is T. For schedulers.
  explicit JoinHandle(scheduler::TaskHeader* task) noexcept : JoinHandleBase(task) {}

  /// Ready when the task has ended: its value, its exception, or `cancelled`. The future and its locals are destroyed
  /// before. Cancel safety: dropping a pending join, or joining by reference in a select(), loses nothing; dropping
  /// the handle detaches the task.
  Poll<JoinResult<T>> poll(Context& context) {
    if (taken_) fail_fast("a JoinHandle was awaited again after it had been ready", "Await it once");
    if (!budget::take(context)) return pending;
    if (!poll_finished(context)) {
      budget::give_back();
      return pending;
    }
    return take_output();
  }

  /// The output, once. Before is_finished() it ends the program.
  JoinResult<T> take_output() {
    if (taken_ || !is_finished()) {
      fail_fast("the output of a task was taken before the task had ended, or twice",
                "Await the JoinHandle, or ask is_finished() first");
    }
    std::optional<JoinResult<T>> output;
    task_->vtable->take_output(task_, &output);
    taken_ = true;
    return std::move(*output);
  }

  /// Lets the task run on by itself. What dropping the handle does, said aloud.
  void detach() && noexcept { const JoinHandle dropped = std::move(*this); }
};

}  // namespace skua
