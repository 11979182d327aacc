// TaskDetails: what few tasks have: a name, and task locals that they inherited. Apart from the header, which every
// frame has room for (frame_allocator.hpp).
#pragma once

#include <skua/core/ref.hpp>

#include <memory>
#include <string>
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
  std::string name;             // constant once the task is shared
  Ref<InheritedLocals> locals;  // for who holds TaskState::running; dropped with the future
};

}  // namespace skua::scheduler
