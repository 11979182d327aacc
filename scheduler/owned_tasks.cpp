#include <skua/scheduler/owned_tasks.hpp>

namespace skua::scheduler {

bool OwnedTasks::insert(TaskHeader* task) {
  Shard& shard = shard_of(task);
  const seam::Lock lock(shard.mutex);
  if (shard.closed) return false;
  task->previous_owned = nullptr;
  task->next_owned = shard.head;
  if (shard.head != nullptr) shard.head->previous_owned = task;
  shard.head = task;
  ++shard.size;
  return true;
}

void OwnedTasks::unlink(Shard& shard, TaskHeader* task) {
  if (task->next_owned != nullptr) task->next_owned->previous_owned = task->previous_owned;
  (task == shard.head ? shard.head : task->previous_owned->next_owned) = task->next_owned;
  task->next_owned = task->previous_owned = nullptr;
  --shard.size;
}

bool OwnedTasks::remove(TaskHeader* task) {
  Shard& shard = shard_of(task);
  const seam::Lock lock(shard.mutex);
  const bool linked = task == shard.head || task->previous_owned != nullptr;
  if (linked) unlink(shard, task);
  return linked;
}

void OwnedTasks::close() {
  for (Shard& shard : shards_) {
    const seam::Lock lock(shard.mutex);
    shard.closed = true;
  }
}

TaskHeader* OwnedTasks::pop(std::uint32_t start) {
  for (std::size_t i = 0; i < shards; ++i) {
    Shard& shard = shards_[(start + i) % shards];
    const seam::Lock lock(shard.mutex);
    TaskHeader* const task = shard.head;
    if (task == nullptr) continue;
    unlink(shard, task);
    return task;
  }
  return nullptr;
}

std::size_t OwnedTasks::size() {
  std::size_t total = 0;
  for (Shard& shard : shards_) {
    const seam::Lock lock(shard.mutex);
    total += shard.size;
  }
  return total;
}

}  // namespace skua::scheduler
