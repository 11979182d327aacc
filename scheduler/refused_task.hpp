// RefusedTask: a task that did not end when its runtime was to, for the report of a shutdown.
#pragma once

#include <skua/scheduler/task_id.hpp>

#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>

namespace skua {

enum class Refusal : std::uint8_t {
  waiting,    // it did not end by itself in the time it was given, and was destroyed at the await where it waited
  polling,    // it is inside of a poll that does not return
  blocking,   // its function, started by spawn_blocking(), does not return
  unreached,  // it waits; every worker that could destroy it is inside of a poll that does not return
};

std::string_view to_string(Refusal why) noexcept;

struct RefusedTask {
  TaskId id;
  std::string name;  // empty: it has none
  Refusal why;
  std::source_location at;  // waiting: of that await; otherwise where it was spawned

  /// "task 17 (reader), inside of a poll, spawned at server.cpp:42"
  std::string to_string() const;
};

}  // namespace skua
