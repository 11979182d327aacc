// TaskDetails: what few tasks have: a name, task locals that they inherited, the time of their last wake. Apart from
// the header, which every frame has room for (frame_allocator.hpp).
#pragma once

#include <skua/core/atomic.hpp>
#include <skua/core/clock.hpp>
#include <skua/core/ref.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace skua::scheduler {

/// The inheritable task locals that are in force somewhere: values by the address of their TaskLocal. Does not change
/// once it is shared; who binds one more makes a copy. So a key that is bound anew in each generation of tasks does
/// not keep the values of all the generations before.
struct InheritedLocals : RefCounted<InheritedLocals> {
  struct Entry {
    const void* key;
    std::shared_ptr<void> value;
  };

  /// `before` (or null) with `key` bound to `value`.
  static Ref<InheritedLocals> bind(const InheritedLocals* before, const void* key, std::shared_ptr<void> value);
  /// Null: not bound.
  void* find(const void* key) const noexcept;

  std::vector<Entry> entries;
};

struct TaskDetails {
  explicit TaskDetails(std::string given_name = {}) : name(std::move(given_name)) {}

  std::string name;             // constant once the task is shared
  Ref<InheritedLocals> locals;  // for who holds TaskState::running; dropped with the future

  /// When the task was queued last, if that is measured. By who queues it; read by who takes it from the queue.
  // relaxed, both: the queue orders them
  void note_schedule(Instant now) noexcept {
    scheduled_at_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
  Instant scheduled_at() const noexcept { return Instant(Duration(scheduled_at_.load(std::memory_order_relaxed))); }

 private:
  seam::Atomic<Duration::rep> scheduled_at_{0};
};

}  // namespace skua::scheduler
