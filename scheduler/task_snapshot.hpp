// TaskSnapshot: what can be said of a task from outside, while it and all the others go on.
#pragma once

#include <skua/scheduler/task_id.hpp>

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>

namespace skua {

enum class TaskPhase : std::uint8_t {
  waiting,  // until somebody wakes it
  queued,   // to be polled; or, if it blocks, waiting for a thread
  running,  // inside of a poll, or being destroyed
  ending,   // cancelled, and to be destroyed
};

std::string_view to_string(TaskPhase phase) noexcept;

struct TaskSnapshot {
  TaskId id;
  std::string name;  // empty: it has none
  TaskPhase phase;
  bool blocks;  // a function that spawn_blocking() runs
  std::source_location spawned_at;
  /// Of a task that waits: the await where it does. Line 0: it is no coroutine, or does not wait.
  std::source_location waits_at;
  std::size_t bytes;  // of its first allocation: header, root frame or future, result

  /// "task 17 (reader), waiting at server.cpp:42, spawned at server.cpp:20"
  std::string to_string() const;
};

}  // namespace skua
