#include <skua/scheduler/task_details.hpp>

namespace skua::scheduler {

Ref<InheritedLocals> InheritedLocals::bind(const InheritedLocals* before, const void* key,
                                           std::shared_ptr<void> value) {
  auto bound = make_ref<InheritedLocals>();
  bound->entries.push_back({key, std::move(value)});
  if (before == nullptr) return bound;
  for (const Entry& entry : before->entries) {
    if (entry.key != key) bound->entries.push_back(entry);
  }
  return bound;
}

void* InheritedLocals::find(const void* key) const noexcept {
  for (const Entry& entry : entries) {
    if (entry.key == key) return entry.value.get();
  }
  return nullptr;
}

}  // namespace skua::scheduler
