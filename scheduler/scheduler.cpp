#include <skua/scheduler/current_task.hpp>
#include <skua/scheduler/scheduler.hpp>
#include <skua/scheduler/shared.hpp>
#include <skua/scheduler/task_scope.hpp>

#include <utility>

namespace skua::scheduler {

Scheduler::Scheduler(std::vector<std::unique_ptr<Parker>> parkers)
    : shared_(std::make_unique<Shared>(static_cast<std::uint32_t>(parkers.size()))) {
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
        shared_->workers[id]->run();
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

void Scheduler::adopt(TaskHeader* task, std::string name) {
  InheritedLocals* const inherited = current_state().inherited;
  if (!name.empty() || inherited != nullptr) {
    task->details = std::make_unique<TaskDetails>(std::move(name), Ref<InheritedLocals>::share(inherited));
  }
  add_ref();
  task->scheduler = this;
  task->id = next_task_id();
  if (shared_->owned.insert(task)) return schedule(task);
  task->state.drop_references() ? SKUA_ASSERT(false) : static_cast<void>(0);  // the list's; handle and entry remain
  shared_->end_task(task);
}

void Scheduler::end_now(TaskHeader* task) noexcept {
  task->add_reference();  // of the one who runs it
  shared_->end_task(task);
}

void Scheduler::schedule(TaskHeader* task) noexcept {
  Worker* worker = Worker::current();
  if (worker != nullptr && worker->belongs_to(*shared_)) {
    worker->schedule(task);
  } else {
    shared_->inject(task);
  }
}

std::uint32_t Scheduler::workers() const noexcept { return static_cast<std::uint32_t>(shared_->workers.size()); }
std::uint32_t Scheduler::sleeping_workers() const noexcept { return shared_->idle.sleeping(); }
std::size_t Scheduler::alive_tasks() { return shared_->owned.size(); }

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
    wake_one();
  } else {
    drain_inject();
  }
}

void Scheduler::Shared::wake_one() noexcept {
  const WorkerId worker = idle.worker_to_wake();
  if (worker != no_worker) workers[worker]->unpark();
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

}  // namespace skua::scheduler
