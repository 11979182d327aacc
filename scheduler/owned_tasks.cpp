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
  ++shard.inserted;
  return true;
}

void OwnedTasks::unlink(Shard& shard, TaskHeader* task) {
  if (shard.walker == task) shard.walker = task->next_owned;
  if (task->next_owned != nullptr) task->next_owned->previous_owned = task->previous_owned;
  (task == shard.head ? shard.head : task->previous_owned->next_owned) = task->next_owned;
  task->next_owned = task->previous_owned = nullptr;
  if (--shard.size == 0 && shard.is_awaited) shard.emptied.notify_all();
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

OwnedTasks::Totals OwnedTasks::totals() {
  Totals totals;
  for (Shard& shard : shards_) {
    const seam::Lock lock(shard.mutex);
    totals.size += shard.size;
    totals.inserted += shard.inserted;
  }
  return totals;
}

std::size_t OwnedTasks::size() { return totals().size; }

// All shards were empty, one after the other; and if nothing has been inserted since the first was looked at, they were
// so together, when the last was: a task that ends may have spawned another into a shard that had been looked at.
bool OwnedTasks::is_empty() {
  for (Totals before = totals(); before.size == 0;) {
    const Totals now = totals();
    if (now.inserted == before.inserted) return true;
    before = now;
  }
  return false;
}

bool OwnedTasks::wait_until_empty(Instant deadline) {
  while (!is_empty()) {
    for (Shard& shard : shards_) {
      const seam::Lock lock(shard.mutex);
      shard.is_awaited = true;
      while (shard.size != 0) {
        if (seam::now() >= deadline) return false;
        shard.emptied.wait_until(shard.mutex, deadline);
      }
    }
  }
  return true;
}

}  // namespace skua::scheduler
