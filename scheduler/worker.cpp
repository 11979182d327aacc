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

// Counts up a number that only its owner writes: no read-modify-write needed.
void count(seam::Atomic<std::uint64_t>& number) noexcept {
  // relaxed: a pulse for the monitor, which compares it with what it saw a millisecond ago
  number.store(number.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

Worker::Worker(Scheduler::Shared& shared, WorkerId id, Parker& parker)
    : shared_(shared), id_(id), parker_(parker), random_(seam::random_seed()), pace_(seam::now()) {}

Worker* Worker::current() noexcept { return current_worker; }
inline bool Worker::is_here() const noexcept { return current_worker == this; }
bool on_worker_thread() noexcept { return current_worker != nullptr; }

WorkerPulse Worker::pulse() const noexcept {
  // relaxed: see count()
  return {polls_.load(std::memory_order_relaxed), looks_.load(std::memory_order_relaxed)};
}

bool Worker::is_sleeping() const noexcept {
  return sleeping_.load(std::memory_order_relaxed);  // relaxed: a hint for the monitor
}

void Worker::enter() noexcept { current_worker = this; }
void Worker::leave() noexcept {
  current_worker = nullptr;
  budget::refill(budget::unlimited);
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
  sleeping_.store(true, std::memory_order_relaxed);  // relaxed: a hint
  // relaxed: see run_until_shutdown()
  while (!is_in_service() && !shared_.shutting_down.load(std::memory_order_relaxed)) {
    parker_.park();
    count(looks_);
  }
  sleeping_.store(false, std::memory_order_relaxed);  // relaxed: a hint
  has_left_ = in_look_ = false;
  shared_.idle.join();
  parker_.on_awake();
  pace_.restart(seam::now());
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
  count(looks_);
  pace_.looked(seam::now());
  wake_for_backlog();
}

void Worker::sleep() {
  begin_sleep();
  parker_.park();
  end_sleep();
}

void Worker::begin_sleep() {
  if (shared_.hooks.on_thread_park) [[unlikely]]
    shared_.hooks.on_thread_park();
  const bool nobody_searches = shared_.idle.begin_sleep(id_, std::exchange(searching_, false));
  // Perhaps ourselves.
  if (nobody_searches && shared_.has_work()) shared_.wake_one();
  sleeping_.store(true, std::memory_order_relaxed);  // relaxed: a hint
  in_look_ = true;
}

void Worker::end_sleep() {
  in_look_ = false;
  sleeping_.store(false, std::memory_order_relaxed);  // relaxed: a hint
  count(looks_);
  searching_ = shared_.idle.end_sleep(id_);
  parker_.on_awake();
  pace_.restart(seam::now());
  if (shared_.hooks.on_thread_unpark) [[unlikely]]
    shared_.hooks.on_thread_unpark();
  wake_for_backlog();
}

TaskHeader* Worker::next_task() noexcept {
  if (pace_.is_time_to_inject()) {
    if (TaskHeader* task = next_injected()) return task;
  }
  if (TaskHeader* task = take_lifo()) return task;
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
  // A thief may still hold slots of ours, so push() may find the ring full although it has room: then back they go.
  for (std::size_t i = 1; i < taken; ++i) push(batch[i]);
  found_work();
  // The first runs now, perhaps for long: the others must not wait for it while a worker sleeps.
  if (taken > 1) shared_.wake_one();
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
    if (TaskHeader* task = shared_.workers[victim]->queue().steal_into(queue_)) {
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
  if (shared_.idle.end_search() && shared_.has_work()) shared_.wake_one();
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
    poll(next);
  }
}

// After its poll, in which the worker may have been lent.
inline void Worker::requeue(TaskHeader* task) noexcept { is_here() ? push(task) : shared_.inject(task); }

void Worker::poll(TaskHeader* task) noexcept {
  count(polls_);
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
  if (is_ready) return shared_.complete(task);
  switch (task->state.finish_poll()) {
    case TaskState::AfterPoll::parked: return;
    case TaskState::AfterPoll::deallocate: return task->deallocate();
    case TaskState::AfterPoll::requeue: return requeue(task);
    case TaskState::AfterPoll::cancel: return shared_.cancel(task);
  }
}

void Worker::schedule(TaskHeader* task) noexcept {
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
  const auto newer_half = queue_.take_half(room);
  if (!newer_half.empty()) shared_.inject(newer_half);
  shared_.inject(task);
}

void Worker::wake_for_backlog() noexcept {
  if (queue_.size() + (has_lifo() ? 1 : 0) >= 2) shared_.wake_one();
}

}  // namespace skua::scheduler
