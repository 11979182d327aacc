#include <skua/core/budget.hpp>
#include <skua/core/kernel.hpp>
#include <skua/scheduler/shared.hpp>
#include <skua/scheduler/task_scope.hpp>
#include <skua/scheduler/worker.hpp>

#include <algorithm>
#include <array>

namespace skua::scheduler {

namespace {

constinit thread_local Worker* current_worker = nullptr;
constexpr std::uint64_t never = ~std::uint64_t{0};  // no poll has this number

std::uint64_t since_epoch(Instant instant) noexcept {
  return static_cast<std::uint64_t>(instant.time_since_epoch().count());
}

}  // namespace

Worker::Worker(Scheduler::Shared& shared, WorkerId id, Parker& parker)
    : shared_(shared),
      id_(id),
      parker_(parker),
      random_(seam::random_seed()),
      pace_(seam::now()),
      next_timed_(shared.measures.timed_poll_every != 0 ? shared.measures.timed_poll_every : never),
      next_measured_(shared.measures.schedule_latency ? 1 : next_timed_) {}

Worker* Worker::current() noexcept { return current_worker; }
inline bool Worker::is_here() const noexcept { return current_worker == this; }
bool on_worker_thread() noexcept { return current_worker != nullptr; }

WorkerPulse Worker::pulse() const noexcept { return {counters_.polls.read(), counters_.looks.read()}; }

bool Worker::is_sleeping() const noexcept {
  return sleeping_.load(std::memory_order_relaxed);  // relaxed: a hint for the monitor
}

WorkerMetrics Worker::metrics(Instant now) const noexcept {
  WorkerMetrics metrics = counters_.read();
  metrics.is_sleeping = is_sleeping();
  metrics.queue_depth = queue_.size_seen() + (has_lifo() ? 1 : 0);
  const auto looked_at = Instant(Duration(static_cast<Duration::rep>(counters_.looked_at.read())));
  if (!metrics.is_sleeping && looked_at != Instant()) metrics.since_look = std::max(now - looked_at, Duration::zero());
  return metrics;
}

// A worker that sleeps without a thread goes on sleeping: see WorkerSeat.
void Worker::enter() noexcept {
  current_worker = this;
  if (is_sleeping()) return;
  const Instant now = seam::now();
  counters_.busy.begin(now);
  note_look(now);
}

void Worker::leave() noexcept {
  current_worker = nullptr;
  budget::refill(budget::unlimited);
  if (is_sleeping()) return;
  counters_.busy.end(seam::now());
  note_look(Instant());  // nobody has it: not stuck
}

void Worker::run() {
  enter();
  run_until_shutdown();
  end_tasks();
  leave();
}

void Worker::run_until_shutdown() {
  for (;;) {
    run_in_service();
    // relaxed: the flag alone is read; shutdown() unparks every worker after setting it, and that orders the rest
    if (shared_.shutting_down.load(std::memory_order_relaxed)) return;
    wait_out_of_service();
  }
}

bool Worker::is_in_service() const noexcept {
  // relaxed: who changes it unparks the workers that it is about, and that orders the rest
  return id_ < shared_.active_workers.load(std::memory_order_relaxed);
}

void Worker::run_in_service() {
  while (is_in_service()) {
    if (!run_next()) sleep();
    if (!is_here()) come_back();
  }
}

void Worker::wait_out_of_service() {
  hand_over_tasks();
  // As before a sleep: a task that was pushed when this worker counted as awake is somebody else's business now.
  if (shared_.idle.leave(std::exchange(searching_, false)) && shared_.has_work()) shared_.wake_one();
  has_left_ = in_look_ = true;
  counters_.busy.end(seam::now());
  sleeping_.store(true, std::memory_order_relaxed);  // relaxed: a hint
  // relaxed: see run_until_shutdown()
  while (!is_in_service() && !shared_.shutting_down.load(std::memory_order_relaxed)) {
    parker_.park();
    counters_.looks.add();
  }
  sleeping_.store(false, std::memory_order_relaxed);  // relaxed: a hint
  has_left_ = in_look_ = false;
  shared_.idle.join();
  parker_.on_awake();
  const Instant now = seam::now();
  pace_.restart(now);
  counters_.busy.begin(now);
  note_look(now);
}

void Worker::hand_over_tasks() noexcept {
  while (TaskHeader* const task = take_lifo()) shared_.inject(task);
  while (TaskHeader* const task = queue_.pop()) shared_.inject(task);
}

void Worker::lend() {
  if (in_look_ || shared_.shutting_down.load(std::memory_order_relaxed)) return;  // relaxed: late is as good
  // relaxed: of the thread that has the seat, which is this one
  if (shared_.seat_is_taken.load(std::memory_order_relaxed)) {
    fail_fast("block_in_place() was called on a current-thread runtime, whose tasks nobody else could run",
              "Use unblock() or spawn_blocking()");
  }
  counters_.loans.add();
  leave();
  parker_.on_lent();
  loan_.lend();
  if (shared_.call_substitute) shared_.call_substitute(id_);
}

void Worker::substitute() {
  if (!loan_.accept()) return;
  if (!parker_.take_over()) return loan_.give_back();
  enter();
  while (is_in_service() && !loan_.is_wanted_back()) {
    if (!run_next()) sleep();
    if (!is_here()) return parker_.on_lender_done();  // lent on, and not ours to take back
  }
  hand_over_tasks();  // it may take a while until the worker's own thread comes back
  leave();
  loan_.give_back();
}

// The poll that had lent the worker has ended.
void Worker::come_back() {
  loan_.take_back([this] { unpark(); });
  enter();
  while (!parker_.take_over()) kernel::sleep(std::chrono::milliseconds(1));  // the system will have a ring again
  parker_.on_lender_done();
}

bool Worker::run_next() {
  if (pace_.is_time_to_look()) look();
  TaskHeader* task = next_task();
  if (task == nullptr) task = search();
  if (task == nullptr) return false;
  run_task(task);
  return true;
}

void Worker::look() {
  in_look_ = true;
  parker_.look(std::max<std::size_t>(queue_.capacity - queue_.size(), fewest_events_a_look));
  in_look_ = false;
  counters_.looks.add();
  const Instant now = seam::now();
  pace_.looked(now);
  counters_.mean_poll.set(static_cast<std::uint64_t>(pace_.mean_poll().count()));
  note_look(now);
  wake_for_backlog();
}

void Worker::note_look(Instant now) noexcept { counters_.looked_at.set(since_epoch(now)); }

void Worker::sleep() {
  begin_sleep();
  parker_.park();
  end_sleep();
}

void Worker::begin_sleep() {
  if (shared_.hooks.on_thread_park) [[unlikely]]
    shared_.hooks.on_thread_park();
  counters_.parks.add();
  const std::uint64_t polls = counters_.polls.read();
  if (std::exchange(polls_at_park_, polls) == polls) counters_.parks_without_work.add();
  const bool nobody_searches = shared_.idle.begin_sleep(id_, std::exchange(searching_, false));
  // Perhaps ourselves.
  if (nobody_searches && shared_.has_work()) wake_one();
  counters_.busy.end(seam::now());
  sleeping_.store(true, std::memory_order_relaxed);  // relaxed: a hint
  in_look_ = true;
}

void Worker::end_sleep() {
  in_look_ = false;
  sleeping_.store(false, std::memory_order_relaxed);  // relaxed: a hint
  counters_.looks.add();
  searching_ = shared_.idle.end_sleep(id_);
  parker_.on_awake();
  const Instant now = seam::now();
  pace_.restart(now);
  counters_.busy.begin(now);
  note_look(now);
  if (shared_.hooks.on_thread_unpark) [[unlikely]]
    shared_.hooks.on_thread_unpark();
  wake_for_backlog();
}

TaskHeader* Worker::next_task() noexcept {
  if (pace_.is_time_to_inject()) {
    if (TaskHeader* task = next_injected()) return task;
  }
  if (TaskHeader* task = take_lifo()) {
    counters_.lifo_polls.add();
    return task;
  }
  if (TaskHeader* task = queue_.pop()) return task;
  return next_injected();
}

TaskHeader* Worker::next_injected() noexcept {
  const std::size_t waiting = shared_.inject_queue.size();
  if (waiting == 0) return nullptr;
  std::array<TaskHeader*, seam::inject_batch> batch;
  // relaxed: a guess
  const std::size_t takers = std::max(shared_.active_workers.load(std::memory_order_relaxed), 1u);
  const std::size_t share = waiting / takers + 1;
  const std::size_t room = queue_.capacity - queue_.size();
  const std::size_t most = std::clamp<std::size_t>(share, 1, std::min(room + 1, batch.size()));
  const std::size_t taken = shared_.inject_queue.pop({batch.data(), most});
  if (taken == 0) return nullptr;
  counters_.inject_tasks.add(taken);
  // A thief may still hold slots of ours, so push() may find the ring full although it has room: then back they go.
  for (std::size_t i = 1; i < taken; ++i) push(batch[i]);
  found_work();
  // The first runs now, perhaps for long: the others must not wait for it while a worker sleeps.
  if (taken > 1) wake_one();
  return batch[0];
}

TaskHeader* Worker::search() noexcept {
  if (!searching_) searching_ = shared_.idle.begin_search();
  if (!searching_) return nullptr;
  const auto count_of_workers = static_cast<std::uint32_t>(shared_.workers.size());
  const std::uint32_t start = random_.below(count_of_workers);
  for (std::uint32_t i = 0; i < count_of_workers; ++i) {
    const std::uint32_t victim = (start + i) % count_of_workers;
    if (victim == id_) continue;
    counters_.steal_attempts.add();
    const std::uint32_t size_before = queue_.size();
    if (TaskHeader* task = shared_.workers[victim]->queue().steal_into(queue_)) {
      counters_.steals.add();
      counters_.stolen_tasks.add(1 + queue_.size() - size_before);
      found_work();
      return task;
    }
  }
  return next_injected();
}

// A searcher that has found work stops searching; if it was the last and there is more, somebody else must go on.
void Worker::found_work() noexcept {
  if (!searching_) [[likely]]
    return;
  searching_ = false;
  if (shared_.idle.end_search() && shared_.has_work()) wake_one();
}

inline TaskHeader* Worker::empty_lifo() noexcept {
  // [WK2] acq_rel: pairs with [WK1]; the owner and relieve() may both be here, one gets the task.
  return lifo_.exchange(nullptr, std::memory_order_acq_rel);
}

TaskHeader* Worker::take_lifo() noexcept { return has_lifo() ? empty_lifo() : nullptr; }

void Worker::run_task(TaskHeader* task) noexcept {
  found_work();
  budget::refill(budget::per_poll);
  poll(task);
  for (std::uint32_t i = 0; has_lifo() && is_here(); ++i) {
    TaskHeader* const next = empty_lifo();
    if (next == nullptr) return;
    if (i == lifo_polls_in_a_row || budget::remaining() == 0) return push(next);
    counters_.lifo_polls.add();
    poll(next);
  }
}

// After its poll, in which the worker may have been lent.
inline void Worker::requeue(TaskHeader* task) noexcept {
  shared_.note_schedule(task);
  if (!is_here()) return shared_.inject(task);
  if (budget::remaining() == 0) counters_.forced_yields.add();
  push(task);
}

void Worker::poll(TaskHeader* task) noexcept {
  if (counters_.polls.add() == next_measured_) [[unlikely]]
    return poll_measured(task);
  poll_now(task);
}

void Worker::poll_measured(TaskHeader* task) noexcept {
  const Instant start = seam::now();
  const bool is_timed = next_measured_ == next_timed_;
  if (is_timed) next_timed_ += shared_.measures.timed_poll_every;
  if (shared_.measures.schedule_latency) {
    counters_.schedule_latency.record(start - task->details->scheduled_at());
    ++next_measured_;
  } else {
    next_measured_ = next_timed_;
  }
  poll_now(task);
  if (!is_timed || !is_here()) return;  // lent meanwhile: the counters are another thread's
  const Duration taken = seam::now() - start;
  counters_.poll_times.record(taken);
  counters_.longest_poll.raise_to(static_cast<std::uint64_t>(taken.count()));
}

inline void Worker::poll_now(TaskHeader* task) noexcept {
  switch (task->state.start_poll()) {
    case TaskState::StartPoll::drop_reference: return;
    case TaskState::StartPoll::deallocate: return task->deallocate();
    case TaskState::StartPoll::cancel: return shared_.cancel(task);
    case TaskState::StartPoll::poll: break;
  }
  bool is_ready = false;
  {
    const PollScope scope(task);
    const BorrowedWaker waker(task, &task_waker_vtable);
    Context context(waker.get());
    is_ready = task->vtable->poll(task, context);
  }
  if (is_ready) {
    if (is_here()) counters_.polls_to_end.add();
    return shared_.complete(task);
  }
  switch (task->state.finish_poll()) {
    case TaskState::AfterPoll::parked: return;
    case TaskState::AfterPoll::deallocate: return task->deallocate();
    case TaskState::AfterPoll::requeue: return requeue(task);
    case TaskState::AfterPoll::cancel: return shared_.cancel(task);
  }
}

void Worker::schedule(TaskHeader* task) noexcept {
  counters_.local_schedules.add();
  if (!in_look_) {
    // [WK1] acq_rel: who takes the task from the slot sees it whole; pairs with [WK2].
    task = lifo_.exchange(task, std::memory_order_acq_rel);
    if (task == nullptr) return;
  }
  if (has_left_) return shared_.inject(task);
  push(task);
  if (!in_look_) wake_for_backlog();
}

// To the end of the ring; half of a full ring goes to the inject queue.
void Worker::push(TaskHeader* task) noexcept {
  if (queue_.push(task)) return;
  std::array<TaskHeader*, LocalQueue<TaskHeader>::capacity / 2> room;
  counters_.overflows.add();
  const auto newer_half = queue_.take_half(room);
  if (!newer_half.empty()) shared_.inject(newer_half);
  shared_.inject(task);
}

void Worker::wake_one() noexcept { (shared_.wake_one() ? counters_.wakes_sent : counters_.wakes_avoided).add(); }

void Worker::wake_for_backlog() noexcept {
  if (queue_.size() + (has_lifo() ? 1 : 0) >= 2) wake_one();
}

}  // namespace skua::scheduler
