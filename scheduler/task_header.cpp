#include <skua/scheduler/scheduler.hpp>
#include <skua/scheduler/task_header.hpp>

namespace skua::scheduler {

namespace {
TaskHeader* header(void* data) noexcept { return static_cast<TaskHeader*>(data); }
}  // namespace

void TaskHeader::deallocate() noexcept {
  const auto owner = Ref<Scheduler>::adopt(scheduler);  // outlives the task, which may be the last to need it
  vtable->deallocate(this);
}

void carry_out(TaskState::Wake duty, TaskHeader* task) noexcept {
  switch (duty) {
    case TaskState::Wake::nothing: return;
    case TaskState::Wake::schedule: return task->scheduler->schedule(task);
    case TaskState::Wake::deallocate: return task->deallocate();
  }
}

const WakerVtable task_waker_vtable{
    .clone = [](void* data) { header(data)->add_reference(); },
    .wake = [](void* data) { carry_out(header(data)->state.wake_by_value(), header(data)); },
    .wake_by_ref = [](void* data) { carry_out(header(data)->state.wake_by_ref(), header(data)); },
    .drop = [](void* data) { header(data)->drop_references(); },
};

}  // namespace skua::scheduler
