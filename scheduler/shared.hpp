// What the workers of one scheduler share. Private, as it includes moodycamel's queue (fair_queue.hpp).
#pragma once

#include <skua/core/thread.hpp>
#include <skua/scheduler/fair_queue.hpp>
#include <skua/scheduler/idle.hpp>
#include <skua/scheduler/inject_queue.hpp>
#include <skua/scheduler/owned_tasks.hpp>
#include <skua/scheduler/refused_tasks.hpp>
#include <skua/scheduler/scheduler.hpp>
#include <skua/scheduler/worker.hpp>
#include <skua/scheduler/worker_metrics.hpp>

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace skua::scheduler {

struct Scheduler::Shared {
  Shared(std::uint32_t count, Hooks called, Measures measured)
      : hooks(std::move(called)), measures(measured), idle(count), active_workers(count), workers_running(count) {}

  /// From any thread: queues the task for whichever worker is free.
  void inject(TaskHeader* task) noexcept;
  void inject(std::span<TaskHeader*> tasks) noexcept;
  /// What a push to the inject queue obliges to; `is_open` is what push() returned.
  void after_push(bool is_open) noexcept;
  /// Wakes a sleeping worker if nobody is searching already. After every push that others may run. True: there was one.
  bool wake_one() noexcept;
  /// Before `task` is queued.
  void note_schedule(TaskHeader* task) const noexcept {
    if (measures.schedule_latency) [[unlikely]]
      task->details->note_schedule(seam::now());
  }
  /// True if any queue holds a task.
  bool has_work() const noexcept;

  /// With the task's shard locked.
  TaskSnapshot inspect(TaskHeader& task) noexcept;

  /// Destroys the future, whose task is cancelled, and completes it. Requires TaskState::running to be ours.
  void cancel(TaskHeader* task) noexcept;
  /// The future is gone and the output stored: tells the joiner, and gives back the references of the runner and the
  /// list.
  void complete(TaskHeader* task) noexcept;
  /// Ends a task that shutdown found in a queue or in the list; takes over the reference that came with it.
  void end_task(TaskHeader* task) noexcept;
  /// The same for one of the list, which is noted if it is running: refused_tasks().
  void end_owned(TaskHeader* task) noexcept;
  /// Ends everything in the inject queue, which is closed.
  void drain_inject() noexcept;

  const Hooks hooks;
  const Measures measures;
  OwnedTasks owned;
  RefusedTasks refused;
  InjectQueue<TaskHeader, FairQueue<TaskHeader>> inject_queue;
  Idle idle;
  std::vector<std::unique_ptr<Parker>> parkers;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<seam::Thread> threads;
  std::function<void(WorkerId)> call_substitute;  // set before the threads start
  seam::Atomic<bool> seat_is_taken{false};
  seam::Mutex resize_mutex;                    // held by who changes:
  seam::Atomic<std::uint32_t> active_workers;  // the first of `workers`; none once it is shutting down
  seam::Atomic<bool> shutting_down{false};
  seam::Atomic<std::uint32_t> workers_running;  // that have not ended their tasks yet
  RemoteCounters remote;
};

}  // namespace skua::scheduler
