#include <skua/core/frame_allocator.hpp>
#include <skua/scheduler/current_task.hpp>
#include <skua/scheduler/scheduler.hpp>
#include <skua/scheduler/shared.hpp>
#include <skua/scheduler/task_scope.hpp>
#include <skua/scheduler/task_snapshot.hpp>

#include <utility>

namespace skua::scheduler {

namespace {
void call(const std::function<void()>& hook) noexcept {
  if (hook) hook();
}
void call(const std::function<void(const TaskInfo&)>& hook, const TaskHeader& task) noexcept {
  if (hook) [[unlikely]]
    hook(TaskInfo{TaskId(task.id), task.name(), task.spawned_at});
}
}  // namespace

Scheduler::Scheduler(std::vector<std::unique_ptr<Parker>> parkers, Hooks hooks, Measures measures)
    : shared_(std::make_unique<Shared>(static_cast<std::uint32_t>(parkers.size()), std::move(hooks), measures)) {
  SKUA_ASSERT(!parkers.empty());
  for (const auto& parker : parkers) {
    shared_->workers.push_back(
        std::make_unique<Worker>(*shared_, static_cast<WorkerId>(shared_->workers.size()), *parker));
  }
  shared_->parkers = std::move(parkers);
}

Scheduler::~Scheduler() = default;

void Scheduler::start(const std::string& name, const std::function<void(std::uint32_t)>& on_start) {
  std::uint32_t id = 0;
  try {
    for (; id < workers(); ++id) {
      shared_->threads.emplace_back(name + "-" + std::to_string(id), [this, id, on_start] {
        on_start(id);
        call(shared_->hooks.on_thread_start);
        shared_->workers[id]->run();
        call(shared_->hooks.on_thread_stop);
      });
    }
  } catch (...) {
    // The workers that will never run count as done, so that the last of the others drains the inject queue.
    // [SD4] acq_rel: as [SD3]; pairs with [SD3].
    shared_->workers_running.fetch_sub(workers() - id, std::memory_order_acq_rel);
    shutdown();
    throw;
  }
}

void Scheduler::set_substitutes(std::function<void(std::uint32_t)> call) { shared_->call_substitute = std::move(call); }

void Scheduler::substitute(std::uint32_t worker) { shared_->workers[worker]->substitute(); }

void lend_worker() {
  if (Worker* const worker = Worker::current()) worker->lend();
}

void Scheduler::set_name(TaskHeader* task, std::string&& name) {
  task->details = std::make_unique<TaskDetails>(std::move(name));
}

void Scheduler::adopt(TaskHeader* task) {
  if (enlist(task)) schedule(task);
}

bool Scheduler::enlist(TaskHeader* task) {
  if (shared_->measures.schedule_latency && !task->details) task->details = std::make_unique<TaskDetails>();
  if (InheritedLocals* const inherited = inherited_here()) {
    if (!task->details) task->details = std::make_unique<TaskDetails>();
    task->details->locals = Ref<InheritedLocals>::share(inherited);
  }
  add_ref();
  task->scheduler = this;
  task->id = next_task_id();
  call(shared_->hooks.on_task_spawn, *task);
  if (shared_->owned.insert(task)) return true;
  task->state.drop_references() ? SKUA_ASSERT(false) : static_cast<void>(0);  // the list's; handle and entry remain
  shared_->end_task(task);
  return false;
}

void Scheduler::run_blocking(TaskHeader* task) noexcept {
  switch (task->state.start_poll()) {
    case TaskState::StartPoll::drop_reference: return;
    case TaskState::StartPoll::deallocate: return task->deallocate();
    case TaskState::StartPoll::cancel: return shared_->cancel(task);
    case TaskState::StartPoll::poll: break;
  }
  {
    const TaskScope scope(task);
    Context context(Waker::noop());
    const bool is_ready = task->vtable->poll(task, context);
    SKUA_ASSERT(is_ready);
    static_cast<void>(is_ready);
  }
  shared_->complete(task);
}

void Scheduler::end_blocking(TaskHeader* task) noexcept { shared_->end_task(task); }

void Scheduler::end_now(TaskHeader* task) noexcept {
  task->add_reference();  // of the one who runs it
  shared_->end_task(task);
}

void Scheduler::schedule(TaskHeader* task) noexcept {
  shared_->note_schedule(task);
  Worker* worker = Worker::current();
  if (worker != nullptr && worker->belongs_to(*shared_)) {
    worker->schedule(task);
  } else {
    shared_->remote.schedules.add();
    shared_->inject(task);
  }
}

std::uint32_t Scheduler::workers() const noexcept { return static_cast<std::uint32_t>(shared_->workers.size()); }

void Scheduler::set_active_workers(std::uint32_t count) noexcept {
  SKUA_ASSERT(count >= 1 && count <= workers());
  const seam::Lock lock(shared_->resize_mutex);
  const std::uint32_t before = active_workers();
  if (before == 0) return;  // shutting down
  // relaxed: each worker that it is about is unparked
  shared_->active_workers.store(count, std::memory_order_relaxed);
  for (std::uint32_t i = std::min(before, count); i < std::max(before, count); ++i) shared_->workers[i]->unpark();
}

std::uint32_t Scheduler::active_workers() const noexcept {
  return shared_->active_workers.load(std::memory_order_relaxed);  // relaxed: a number of a moment that has passed
}

std::uint32_t Scheduler::awake_workers() const noexcept { return shared_->idle.awake(); }
std::size_t Scheduler::alive_tasks() { return shared_->owned.size() + shared_->refused.running(); }

SchedulerMetrics Scheduler::metrics() {
  SchedulerMetrics metrics;
  const OwnedTasks::Totals tasks = shared_->owned.totals();
  metrics.spawned = tasks.inserted;
  metrics.ended = tasks.inserted - tasks.size;
  metrics.remote_schedules = shared_->remote.schedules.read();
  metrics.remote_wakes = shared_->remote.wakes_sent.read();
  metrics.inject_depth = shared_->inject_queue.size();
  return metrics;
}

WorkerMetrics Scheduler::metrics_of(std::uint32_t worker, Instant now) const noexcept {
  return shared_->workers[worker]->metrics(now);
}

// A task that waits is claimed as if to poll it, read, and given back; who wakes it meanwhile leaves the push to us.
TaskSnapshot Scheduler::Shared::inspect(TaskHeader& task) noexcept {
  TaskSnapshot snapshot{.id = TaskId(task.id),
                        .name = std::string(task.name()),
                        .phase = TaskPhase::ending,
                        .blocks = task.vtable->blocks,
                        .spawned_at = task.spawned_at,
                        .waits_at = {},
                        .bytes = frames::size_of(&task)};
  for (;;) {
    if (task.state.begin_inspection()) {
      snapshot.phase = TaskPhase::waiting;
      snapshot.waits_at = task.vtable->waits_at(&task);
      if (task.state.end_inspection()) {
        note_schedule(&task);
        inject(&task);
      }
      return snapshot;
    }
    switch (task.state.look()) {
      case TaskState::Look::waits: continue;  // by now
      case TaskState::Look::queued: snapshot.phase = TaskPhase::queued; return snapshot;
      case TaskState::Look::runs: snapshot.phase = TaskPhase::running; return snapshot;
      case TaskState::Look::is_cancelled:
      case TaskState::Look::has_ended: return snapshot;
    }
  }
}

std::vector<TaskSnapshot> Scheduler::snapshots(std::size_t most) {
  std::vector<TaskSnapshot> snapshots;
  shared_->owned.walk([&](TaskHeader& task) {
    if (snapshots.size() < most) snapshots.push_back(shared_->inspect(task));
    return snapshots.size() < most;
  });
  return snapshots;
}

void Scheduler::visit_spawn_sites(const std::function<void(std::source_location, std::size_t)>& visit) {
  shared_->owned.walk([&](TaskHeader& task) {
    visit(task.spawned_at, frames::size_of(&task));
    return true;
  });
}

bool Scheduler::is_empty() { return shared_->owned.is_empty(); }
bool Scheduler::drain(Instant deadline) { return shared_->owned.wait_until_empty(deadline); }

void Scheduler::note_what_waits() noexcept { shared_->refused.note_what_waits(); }
std::vector<RefusedTask> Scheduler::refused_tasks() { return shared_->refused.report(shared_->owned); }
void Scheduler::forget_refused_tasks() noexcept { shared_->refused.forget(); }

WorkerPulse Scheduler::pulse(std::uint32_t worker) const noexcept { return shared_->workers[worker]->pulse(); }
bool Scheduler::is_sleeping(std::uint32_t worker) const noexcept { return shared_->workers[worker]->is_sleeping(); }

void Scheduler::relieve(std::uint32_t worker) noexcept {
  if (TaskHeader* task = shared_->workers[worker]->take_lifo()) {
    shared_->inject(task);
  } else if (shared_->has_work()) {
    shared_->wake_one();
  }
}

void Scheduler::Shared::inject(TaskHeader* task) noexcept { after_push(inject_queue.push(task)); }

void Scheduler::Shared::inject(std::span<TaskHeader*> tasks) noexcept { after_push(inject_queue.push(tasks)); }

void Scheduler::Shared::after_push(bool is_open) noexcept {
  if (is_open) {
    if (wake_one()) remote.wakes_sent.add();
  } else {
    drain_inject();
  }
}

bool Scheduler::Shared::wake_one() noexcept {
  const WorkerId worker = idle.worker_to_wake();
  if (worker == no_worker) return false;
  workers[worker]->unpark();
  return true;
}

bool Scheduler::Shared::has_work() const noexcept {
  if (inject_queue.has_work()) return true;
  for (const auto& worker : workers) {
    if (!worker->queue().is_empty()) return true;
  }
  return false;
}

void Scheduler::Shared::cancel(TaskHeader* task) noexcept {
  {
    const TaskScope scope(task);
    task->vtable->cancel(task);
  }
  complete(task);
}

void Scheduler::Shared::complete(TaskHeader* task) noexcept {
  if (task->details) task->details->locals = nullptr;
  call(hooks.on_task_end, *task);
  const std::uint64_t references = owned.remove(task) ? 2 : 1;
  switch (task->state.complete_task()) {
    case TaskState::OnComplete::drop_output: task->vtable->drop_output(task); break;
    case TaskState::OnComplete::leave_output: break;
    case TaskState::OnComplete::leave_output_and_wake_joiner:
      task->join_waker.wake_by_ref();
      if (task->state.release_join_waker()) task->join_waker = Waker();
      break;
  }
  task->drop_references(references);
}

WorkerSeat::WorkerSeat(Scheduler& scheduler) : shared_(*scheduler.shared_), worker_(*shared_.workers.front()) {
  SKUA_ASSERT(shared_.workers.size() == 1 && shared_.threads.empty());
  // [WS1] acquire: what the thread that had the seat before did; pairs with [WS2].
  if (shared_.seat_is_taken.exchange(true, std::memory_order_acquire)) {
    fail_fast("two threads were running a current-thread runtime at once",
              "Have one thread in block_on() or run_once() at a time; others spawn through a Handle");
  }
  worker_.enter();
}

WorkerSeat::~WorkerSeat() {
  worker_.leave();
  // [WS2] release: pairs with [WS1].
  shared_.seat_is_taken.store(false, std::memory_order_release);
}

bool WorkerSeat::run(std::uint32_t most) {
  for (; most > 0; --most) {
    if (!worker_.run_next()) return false;
  }
  return true;
}

void WorkerSeat::look() { worker_.look(); }
void WorkerSeat::begin_sleep() { worker_.begin_sleep(); }
void WorkerSeat::end_sleep() { worker_.end_sleep(); }

}  // namespace skua::scheduler
