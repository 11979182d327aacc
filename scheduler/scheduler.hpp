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
#include <skua/scheduler/current_task.hpp>
#include <skua/scheduler/hooks.hpp>
#include <skua/scheduler/join_handle.hpp>
#include <skua/scheduler/measures.hpp>
#include <skua/scheduler/parker.hpp>
#include <skua/scheduler/refused_task.hpp>
#include <skua/scheduler/task_cell.hpp>
#include <skua/scheduler/task_header.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

namespace skua {
struct SchedulerMetrics;
struct TaskSnapshot;
struct WorkerMetrics;
}  // namespace skua

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
  explicit Scheduler(std::vector<std::unique_ptr<Parker>> parkers, Hooks hooks = {}, Measures measures = {});
  ~Scheduler();

  /// Starts the threads, named `name`-0 and so on; `on_start(i)` runs first on each.
  /// Throws std::system_error if the system has no threads left; those that were started have been joined.
  void start(const std::string& name, const std::function<void(std::uint32_t)>& on_start);

  /// Before start(): `call(i)` has some thread call substitute(i), soon. It must not throw.
  void set_substitutes(std::function<void(std::uint32_t)> call);
  /// Runs a worker whose thread is busy with something that blocks, until it wants it back, or shutdown; or returns at
  /// once. See lend_worker().
  void substitute(std::uint32_t worker);

  /// Ends every task on a worker thread, then the workers. See shutdown.cpp. Not from a worker.
  void shutdown();
  /// The same where no thread was started: on this thread. See WorkerSeat.
  void shutdown_here();
  /// Waits until no task is left, or `deadline`. Not from a worker.
  bool drain(Instant deadline);
  bool is_empty();

  /// Starts `future` as a task, which inherits the task locals of this thread that are declared so. After shutdown()
  /// has begun it is destroyed at once, here, and the join is cancelled.
  template <Future F>
  JoinHandle<Output<F>> spawn(F future, std::source_location at) {
    TaskHeader* task = make_task(std::move(future), at);
    adopt(task);
    return JoinHandle<Output<F>>(task);
  }
  /// The same with a name, which is an allocation more.
  template <Future F>
  JoinHandle<Output<F>> spawn(F future, std::source_location at, std::string name) {
    TaskHeader* task = make_task(std::move(future), at);
    set_name(task, std::move(name));
    adopt(task);
    return JoinHandle<Output<F>>(task);
  }

  /// Makes a task of `call`, which a thread that may wait has to run: run_blocking(), once. The queue entry's reference
  /// is the caller's. Null at `task`: after shutdown() has begun; the call has been destroyed and the join is
  /// cancelled.
  template <Future F>
  JoinHandle<Output<F>> spawn_blocking(F call, std::source_location at, std::string name, TaskHeader*& task) {
    TaskHeader* const made = make_task(std::move(call), at);
    if (!name.empty()) set_name(made, std::move(name));
    task = enlist(made) ? made : nullptr;
    return JoinHandle<Output<F>>(made);
  }
  /// Takes over the queue entry's reference; the future, unless it was cancelled before, is ready after this poll.
  void run_blocking(TaskHeader* task) noexcept;
  /// Takes over the queue entry's reference: nobody will run it.
  void end_blocking(TaskHeader* task) noexcept;

  /// Puts a task that is `notified` where it will be polled. The queue entry's reference comes with it. Any thread.
  void schedule(TaskHeader* task) noexcept;

  /// See JoinHandleBase::end_now(). The caller has a reference.
  void end_now(TaskHeader* task) noexcept;

  /// That there are, in service or not.
  std::uint32_t workers() const noexcept;
  /// The first so many take tasks, 1 to workers(); all in the beginning. Returns at once: a worker that is out of
  /// service from now on ends the poll that it is in, and hands its other tasks over. Any thread; nothing after
  /// shutdown().
  void set_active_workers(std::uint32_t count) noexcept;
  std::uint32_t active_workers() const noexcept;
  /// That take tasks, or are about to stop it, and do not sleep.
  std::uint32_t awake_workers() const noexcept;
  /// Tasks that have not ended. After the beginning of shutdown() also those that refuse to.
  std::size_t alive_tasks();

  // For metrics, by any thread ----------------------------------------------------------------------------------
  SchedulerMetrics metrics();
  WorkerMetrics metrics_of(std::uint32_t worker, Instant now) const noexcept;
  /// What each of the tasks that are alive is doing, `most` of them. Stops nobody: a task that waits is kept from being
  /// polled for the moment in which it is looked at.
  std::vector<TaskSnapshot> snapshots(std::size_t most);
  /// Calls `visit(spawn site, bytes)` for each task that is alive, with a lock held. See OwnedTasks::walk().
  void visit_spawn_sites(const std::function<void(std::source_location, std::size_t)>& visit);

  // For the report of a shutdown --------------------------------------------------------------------------------
  /// Before shutdown(): what waits then is to be noted, with the place.
  void note_what_waits() noexcept;
  /// Tasks that have not ended although shutdown() has begun, and those that were noted; a thousand of each at most.
  std::vector<RefusedTask> refused_tasks();
  /// No task is running any more, or nobody wants to know. To be called after a shutdown: they, and so the scheduler,
  /// are kept until then.
  void forget_refused_tasks() noexcept;

  // For the monitor ---------------------------------------------------------------------------------------------
  WorkerPulse pulse(std::uint32_t worker) const noexcept;
  bool is_sleeping(std::uint32_t worker) const noexcept;
  /// `worker` has been inside one poll for long: moves the task in its LIFO slot to the inject queue, and wakes a
  /// worker if that, its ring, or the inject queue holds something to run.
  void relieve(std::uint32_t worker) noexcept;

  /// Everything the workers share. Private to the component.
  struct Shared;

 private:
  friend class WorkerSeat;
  static void set_name(TaskHeader* task, std::string&& name);
  void adopt(TaskHeader* task);
  /// False: refused, and ended.
  bool enlist(TaskHeader* task);
  void close() noexcept;

  const std::unique_ptr<Shared> shared_;
};

/// A scheduler whose threads were never started has one worker without a thread: it runs on the thread that has the
/// seat, for as long as that has it. One thread at a time; a second one ends the program.
class WorkerSeat {
 public:
  explicit WorkerSeat(Scheduler& scheduler);
  ~WorkerSeat();
  WorkerSeat(const WorkerSeat&) = delete;
  WorkerSeat& operator=(const WorkerSeat&) = delete;

  /// Polls tasks that are ready, `most` at most. False: there are no more.
  bool run(std::uint32_t most);
  /// Looks at the driver.
  void look();
  /// There is nothing to do: from now on whoever makes something ready calls unpark() of the parker. The seat may be
  /// left meanwhile. To be called before the parker goes to sleep.
  void begin_sleep();
  /// After the sleep, by who has the seat then.
  void end_sleep();

 private:
  const StateScope no_task_{CurrentState()};
  Scheduler::Shared& shared_;
  Worker& worker_;
};

/// The calling thread is about to block: if it is a worker that polls a task, another thread may run that worker until
/// this poll has ended. See block_in_place().
void lend_worker();

/// True on the worker threads of any scheduler.
bool on_worker_thread() noexcept;

}  // namespace skua::scheduler
