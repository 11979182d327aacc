// TaskId: a number that names a task in logs, for as long as the process runs.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace skua {

/// Never given twice in a process, to whatever runtime. The order says nothing of when the tasks were spawned.
class TaskId {
 public:
  explicit constexpr TaskId(std::uint64_t value) noexcept : value_(value) {}
  constexpr std::uint64_t value() const noexcept { return value_; }
  std::string to_string() const { return std::to_string(value_); }
  friend constexpr auto operator<=>(const TaskId&, const TaskId&) noexcept = default;

 private:
  std::uint64_t value_;
};

namespace scheduler {
/// The next number. Any thread; each takes a block of them at a time.
std::uint64_t next_task_id() noexcept;
}  // namespace scheduler

}  // namespace skua

template <>
struct std::hash<skua::TaskId> {
  std::size_t operator()(const skua::TaskId& id) const noexcept { return std::hash<std::uint64_t>()(id.value()); }
};
