// Scheduler: a fixed set of workers that run tasks and steal them from each other.
//
//   spawn ──> owned list + queue of the spawning worker (or the inject queue) ──> a worker polls it ──> output
//   wake  ──> the waking worker's LIFO slot, from elsewhere the inject queue
//
// Who runs what next is worker.hpp; who sleeps and who is woken idle.hpp; how it all ends shutdown.cpp.
//
// Lifetime: counted; the runtime holds one reference and every task one, so that a waker on a foreign thread that
// outlives the runtime still finds where to push to (a closed queue, which it empties).
#pragma once

#include <skua/core/future.hpp>
#include <skua/core/ref.hpp>
#include <skua/scheduler/join_handle.hpp>
#include <skua/scheduler/parker.hpp>
#include <skua/scheduler/task_cell.hpp>
#include <skua/scheduler/task_header.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

namespace skua::scheduler {

class Worker;

/// What the monitor sees of a worker from outside. Numbers count up; equal twice means no progress.
struct WorkerPulse {
  std::uint64_t polls;  // tasks begun
  std::uint64_t looks;  // looks at the driver, and parks
};

class Scheduler : public RefCounted<Scheduler> {
 public:
  /// One worker per parker. The parkers live as long as the scheduler: a waker may still be about to unpark one when
  /// the runtime is gone. No thread runs yet.
  explicit Scheduler(std::vector<std::unique_ptr<Parker>> parkers);
  ~Scheduler();

  /// Starts the threads, named `name`-0 and so on; `on_start(i)` runs first on each.
  /// Throws std::system_error if the system has no threads left; those that were started have been joined.
  void start(const std::string& name, const std::function<void(std::uint32_t)>& on_start);

  /// Ends every task on a worker thread, then the workers. See shutdown.cpp. Not from a worker.
  void shutdown();

  /// Starts `future` as a task, which inherits the task locals of this thread that are declared so. After shutdown()
  /// has begun it is destroyed at once, here, and the join is cancelled.
  template <Future F>
  JoinHandle<Output<F>> spawn(F future, std::source_location at, std::string name = {}) {
    TaskHeader* task = make_task(std::move(future), at);
    adopt(task, std::move(name));
    return JoinHandle<Output<F>>(task);
  }

  /// Puts a task that is `notified` where it will be polled. The queue entry's reference comes with it. Any thread.
  void schedule(TaskHeader* task) noexcept;

  /// See JoinHandleBase::end_now(). The caller has a reference.
  void end_now(TaskHeader* task) noexcept;

  std::uint32_t workers() const noexcept;
  std::uint32_t sleeping_workers() const noexcept;
  std::size_t alive_tasks();

  // For the monitor ---------------------------------------------------------------------------------------------
  WorkerPulse pulse(std::uint32_t worker) const noexcept;
  bool is_sleeping(std::uint32_t worker) const noexcept;
  /// `worker` has been inside one poll for long: moves the task in its LIFO slot to the inject queue, and wakes a
  /// worker if that, its ring, or the inject queue holds something to run.
  void relieve(std::uint32_t worker) noexcept;

  /// Everything the workers share. Private to the component.
  struct Shared;

 private:
  void adopt(TaskHeader* task, std::string name);

  const std::unique_ptr<Shared> shared_;
};

/// True on the worker threads of any scheduler.
bool on_worker_thread() noexcept;

}  // namespace skua::scheduler
