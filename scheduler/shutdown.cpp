// Shutdown: every task is destroyed exactly once, on a worker thread.
//
//   1. shutdown() closes the owned list: a spawn that finds it closed destroys its future where it is. Then it raises
//      the flag and unparks all workers.
//   2. Each worker ends the poll it is in, then takes tasks out of the owned list and destroys their futures, until the
//      list is empty. A task that another worker is polling is marked cancelled; that worker destroys it when the poll
//      ends. Such a task is remembered until all is over, so that the report of a shutdown can name it.
//   3. Each worker empties its own slot and ring: entries of tasks that are complete now, and give back a reference;
//      or tasks that a destructor woke before step 2 reached them, which are destroyed here instead.
//   4. The last worker to get here closes the inject queue and empties it: all queues are empty, all tasks complete.
//      Who pushes to the closed queue later, a waker on a foreign thread, empties it himself (task references only).
//   5. shutdown() joins the threads.
//
// No task escapes: a spawn that was accepted before 1 is in the list, one that came after was refused; the flag and the
// list share no third state. No future is destroyed twice: it takes TaskState::running to do it.
#include <skua/scheduler/shared.hpp>

namespace skua::scheduler {

void Scheduler::shutdown() {
  if (on_worker_thread()) {
    fail_fast("a runtime was destroyed on a worker thread, which must not wait for other threads",
              "Destroy it where it was made, outside of its tasks");
  }
  close();
  for (const auto& worker : shared_->workers) worker->unpark();
  for (seam::Thread& thread : shared_->threads) thread.join();
  shared_->threads.clear();
}

void Scheduler::shutdown_here() {
  const WorkerSeat seat(*this);
  close();
  shared_->workers.front()->end_tasks();
}

void Scheduler::close() noexcept {
  shared_->owned.close();
  // [SD1] release: a worker that sees the flag finds the list closed; pairs with [SD2].
  shared_->shutting_down.store(true, std::memory_order_release);
  const seam::Lock lock(shared_->resize_mutex);
  shared_->active_workers.store(0, std::memory_order_relaxed);  // relaxed: the workers are unparked next
}

void Worker::end_tasks() noexcept {
  // [SD2] acquire: pairs with [SD1].
  static_cast<void>(shared_.shutting_down.load(std::memory_order_acquire));
  while (TaskHeader* task = shared_.owned.pop(id_)) shared_.end_owned(task);
  while (has_lifo() || queue_.size() != 0) {
    if (TaskHeader* task = take_lifo()) shared_.end_task(task);
    if (TaskHeader* task = queue_.pop()) shared_.end_task(task);
  }
  // [SD3] acq_rel: the last worker sees what the others did; pairs with itself.
  if (shared_.workers_running.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  SKUA_ASSERT(shared_.owned.size() == 0);
  shared_.inject_queue.close();
  shared_.drain_inject();
}

// Whoever has it polls it, and sees that it is cancelled; or only looks at it, under a lock, and gives it back.
void Scheduler::Shared::end_task(TaskHeader* task) noexcept {
  if (!task->state.claim_for_shutdown()) {
    owned.wait_for_walk(task);
    if (!task->state.claim_for_shutdown()) return task->drop_references();
  }
  cancel(task);
}

void Scheduler::Shared::end_owned(TaskHeader* task) noexcept {
  if (!task->state.claim_for_shutdown()) return refused.add(task);
  refused.add_waiting(task);
  cancel(task);
}

void Scheduler::Shared::drain_inject() noexcept {
  std::array<TaskHeader*, seam::inject_batch> batch;
  while (const std::size_t taken = inject_queue.pop(batch)) {
    for (std::size_t i = 0; i < taken; ++i) end_task(batch[i]);
  }
}

}  // namespace skua::scheduler
