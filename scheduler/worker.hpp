// Worker: one thread, one queue, one loop.
//
// A worker takes its next task from
//   1. its LIFO slot: the task woken last, whose data is in the cache;
//   2. its ring (local_queue.hpp), oldest first;
//   3. the inject queue, a fair share of it at once;
//   4. half of the ring of another worker, the victim chosen at random. It is *searching* then (idle.hpp).
// With nothing found it sleeps in its parker. After at most 61 tasks it looks at its driver, and after at most 31 it
// asks the inject queue first, so that neither events nor foreign tasks wait for a busy worker; sooner if its tasks
// take long (poll_pace.hpp).
//
// A look takes no more events than there is room for in the ring. The rest waits in the kernel, in its order, at no
// cost; in the ring it would push the tasks of earlier events into the inject queue, behind all that comes later.
// (1,000 busy connections: p99 16 ms, as of a plain epoll loop, instead of 45 on epoll and 62 on io_uring.) A few it
// takes in any case: a ring may be full of tasks that never end.
//
// The LIFO slot: a task woken by a running task goes there, and the one it displaces to the ring. It runs in the budget
// of its waker, and after three in a row the slot's task goes to the end of the ring: two tasks that wake each other
// cannot keep the worker. Thieves do not look into the slot (a task bounces between two workers otherwise, at 20 µs a
// hop); if the worker stays in one poll for long, the monitor moves the slot's task away: Scheduler::relieve().
//
// Whom a push wakes: nobody, as long as the worker itself will run the task next. Two tasks waiting are a backlog: wake
// one.
//
// Out of service: workers are numbered, and the first so many take tasks (Scheduler::set_active_workers()). One that is
// taken out of service hands its tasks over between two polls, and from then on only turns its driver, for the
// descriptors and timers that belong to it; what these wake, the others run.
//
// A poll that is about to block lends the worker: worker_loan.hpp. Another thread is its owner then; the thread that
// blocks is none, queues what it wakes in the inject queue, and takes the worker back when its poll has ended.
//
// Thread safety: members are for the worker's own thread, unless they say otherwise.
#pragma once

#include <skua/core/random.hpp>
#include <skua/scheduler/idle.hpp>
#include <skua/scheduler/local_queue.hpp>
#include <skua/scheduler/parker.hpp>
#include <skua/scheduler/poll_pace.hpp>
#include <skua/scheduler/scheduler.hpp>
#include <skua/scheduler/worker_loan.hpp>
#include <skua/scheduler/worker_metrics.hpp>

namespace skua::scheduler {

class Worker {
 public:
  Worker(Scheduler::Shared& shared, WorkerId id, Parker& parker);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// The body of the thread: until shutdown, then this worker's part of it.
  void run();
  /// Its parts, for a worker without a thread: see WorkerSeat.
  void enter() noexcept;
  void leave() noexcept;
  /// Polls the next task. False: there is none.
  bool run_next();
  void look();
  void begin_sleep();
  void end_sleep();
  void end_tasks() noexcept;

  /// The worker whose thread this is, or null.
  static Worker* current() noexcept;
  bool belongs_to(const Scheduler::Shared& shared) const noexcept { return &shared == &shared_; }

  /// From inside of a poll: this thread is about to block. Another may run the worker until the poll has ended.
  void lend();
  /// Another thread: runs the worker, if it is still on loan, until it is wanted back, or shutdown.
  void substitute();

  /// Queues a task that was woken or spawned here.
  void schedule(TaskHeader* task) noexcept;

  // Any thread
  LocalQueue<TaskHeader>& queue() noexcept { return queue_; }
  void unpark() noexcept { parker_.unpark(); }
  /// Takes the task in the LIFO slot, or null.
  TaskHeader* take_lifo() noexcept;
  bool has_lifo() const noexcept {
    return lifo_.load(std::memory_order_relaxed) != nullptr;  // relaxed: the exchange decides
  }
  WorkerPulse pulse() const noexcept;
  bool is_sleeping() const noexcept;
  WorkerMetrics metrics(Instant now) const noexcept;

 private:
  static constexpr std::uint32_t lifo_polls_in_a_row = 3;
  static constexpr std::size_t fewest_events_a_look = 16;

  void run_until_shutdown();
  bool is_in_service() const noexcept;
  void run_in_service();
  void wait_out_of_service();
  void hand_over_tasks() noexcept;
  void sleep();
  /// Whether this thread is the owner.
  bool is_here() const noexcept;
  void come_back();
  TaskHeader* next_task() noexcept;
  TaskHeader* next_injected() noexcept;
  TaskHeader* search() noexcept;
  void found_work() noexcept;
  TaskHeader* empty_lifo() noexcept;
  void run_task(TaskHeader* task) noexcept;
  void poll(TaskHeader* task) noexcept;
  void poll_measured(TaskHeader* task) noexcept;
  void poll_now(TaskHeader* task) noexcept;
  void push(TaskHeader* task) noexcept;
  void requeue(TaskHeader* task) noexcept;
  void wake_one() noexcept;
  void wake_for_backlog() noexcept;
  void note_look(Instant now) noexcept;

  // Constant after construction
  Scheduler::Shared& shared_;
  const WorkerId id_;
  Parker& parker_;

  // Owner only
  seam::Random random_;
  PollPace pace_;
  // The numbers of the next polls that are timed, and that are measured in whatever way; ~0: none.
  std::uint64_t next_timed_;
  std::uint64_t next_measured_;
  std::uint64_t polls_at_park_ = 0;
  bool searching_ = false;
  bool in_look_ = false;   // tasks woken now were woken by the driver: oldest first
  bool has_left_ = false;  // out of service: tasks are for others

  // Any thread
  WorkerLoan loan_;
  LocalQueue<TaskHeader> queue_;
  alignas(seam::cache_line) seam::Atomic<TaskHeader*> lifo_{nullptr};
  seam::Atomic<bool> sleeping_{false};  // written by the owner
  WorkerCounters counters_;             // written by the owner
};

}  // namespace skua::scheduler
