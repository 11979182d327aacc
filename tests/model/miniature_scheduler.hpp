// A scheduler for models of what lives on tasks: one queue, no workers of its own, and what worker.cpp and
// scheduler.cpp do with a task, mirrored line by line. The code of tasks around it is the production one: TaskHeader,
// the task wakers, JoinHandle.
#pragma once

#include "harness.hpp"

// Compiled here, as a part of the model, against the miniature below.
#define thread_local  // the threads of the checker are fibers of one thread; nothing here runs out of budget
#include <skua/core/budget.cpp>
#undef thread_local
#include <skua/scheduler/join_handle.cpp>
#include <skua/scheduler/task_header.cpp>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace skua::scheduler {

struct Scheduler::Shared {
  /// Takes the list's reference of a task, which counts until it has ended.
  void adopt(TaskHeader* task) {
    {
      const seam::Lock lock(shard);
      owned.push_back(task);
    }
    const seam::Lock lock(mutex);
    ++alive;
  }
  void schedule(TaskHeader* task) {
    {
      const seam::Lock lock(mutex);
      if (!closed) {
        model::check(std::find(queue.begin(), queue.end(), task) == queue.end(), "a task is in one queue at most");
        queue.push_back(std::exchange(task, nullptr));
      }
    }
    if (task != nullptr) return end_task(task);  // as inject() into a closed queue
    condition.notify_one();
  }
  /// Null: closed.
  TaskHeader* next() {
    const seam::Lock lock(mutex);
    while (queue.empty() && !closed) condition.wait(mutex);
    return take_first();
  }
  void close() {
    std::vector<TaskHeader*> left;
    {
      const seam::Lock lock(mutex);
      closed = true;
      left.swap(queue);
    }
    condition.notify_all();
    for (TaskHeader* task : left) end_task(task);
  }
  /// A worker, until close().
  void work() {
    while (TaskHeader* task = next()) poll(task);
  }

  // Mirrors Worker::poll().
  void poll(TaskHeader* task) {
    switch (task->state.start_poll()) {
      case TaskState::StartPoll::drop_reference: return;
      case TaskState::StartPoll::deallocate: return task->deallocate();
      case TaskState::StartPoll::cancel: task->vtable->cancel(task); return complete(task);
      case TaskState::StartPoll::poll: break;
    }
    const BorrowedWaker waker(task, &task_waker_vtable);
    Context context(waker.get());
    if (task->vtable->poll(task, context)) return complete(task);
    switch (task->state.finish_poll()) {
      case TaskState::AfterPoll::parked: return;
      case TaskState::AfterPoll::deallocate: return task->deallocate();
      case TaskState::AfterPoll::requeue: return schedule(task);
      case TaskState::AfterPoll::cancel: task->vtable->cancel(task); return complete(task);
    }
  }
  // Mirrors Scheduler::Shared::complete().
  void complete(TaskHeader* task) {
    const std::uint64_t references = disown(task) ? 2 : 1;
    switch (task->state.complete_task()) {
      case TaskState::OnComplete::drop_output: task->vtable->drop_output(task); break;
      case TaskState::OnComplete::leave_output: break;
      case TaskState::OnComplete::leave_output_and_wake_joiner:
        task->join_waker.wake_by_ref();
        if (task->state.release_join_waker()) task->join_waker = Waker();
        break;
    }
    task->drop_references(references);
    end_one();
  }
  // Mirrors Scheduler::Shared::end_task().
  void end_task(TaskHeader* task) {
    if (!task->state.claim_for_shutdown()) {
      {
        const seam::Lock walk(shard);
      }
      if (!task->state.claim_for_shutdown()) return task->drop_references();
    }
    task->vtable->cancel(task);
    complete(task);
  }
  // Mirrors what Worker::end_tasks() does with the list, Scheduler::Shared::end_owned() and RefusedTasks: of a task
  // that somebody polls the report knows whether it has ended, then the list's reference is dropped.
  void shut_down(TaskHeader* task) {
    if (!disown(task)) return;
    if (!task->state.claim_for_shutdown()) {
      static_cast<void>(task->state.is_complete());
      return task->drop_references();
    }
    task->vtable->cancel(task);
    complete(task);
  }
  // Mirrors OwnedTasks::walk() and Scheduler::Shared::inspect(). False: the task was not waiting.
  bool inspect(TaskHeader* task) {
    const seam::Lock walk(shard);
    if (std::find(owned.begin(), owned.end(), task) == owned.end() || !task->state.begin_inspection()) return false;
    static_cast<void>(task->vtable->waits_at(task));
    if (task->state.end_inspection()) schedule(task);
    return true;
  }
  /// One of those that count in `alive` has ended. After the last one the model ends.
  void end_one() {
    bool is_last = false;
    {
      const seam::Lock lock(mutex);
      is_last = --alive == 0;
    }
    if (is_last) close();
  }

  static inline Shared* latest = nullptr;  // for the model: Scheduler keeps its own pointer private
  Shared() { latest = this; }

  bool disown(TaskHeader* task) {
    const seam::Lock lock(shard);
    return std::erase(owned, task) != 0;
  }
  TaskHeader* take_first() {
    if (queue.empty()) return nullptr;
    TaskHeader* const first = queue.front();
    queue.erase(queue.begin());
    return first;
  }

  seam::Mutex shard;
  std::vector<TaskHeader*> owned;
  seam::Mutex mutex;
  seam::Condvar condition;
  std::vector<TaskHeader*> queue;
  std::size_t alive = 0;
  bool closed = false;
};

Scheduler::Scheduler(std::vector<std::unique_ptr<Parker>>, Hooks, Measures) : shared_(std::make_unique<Shared>()) {}
Scheduler::~Scheduler() = default;
void Scheduler::schedule(TaskHeader* task) noexcept { shared_->schedule(task); }
void Scheduler::end_now(TaskHeader* task) noexcept {
  task->add_reference();
  shared_->end_task(task);
}

}  // namespace skua::scheduler
