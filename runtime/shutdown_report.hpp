// ShutdownReport: how Runtime::shutdown() went.
#pragma once

#include <skua/runtime_counters.hpp>
#include <skua/scheduler/refused_task.hpp>

#include <string>
#include <vector>

namespace skua {

struct ShutdownReport {
  /// Everything has ended: no thread, task, timer, descriptor or request of the runtime is left. False: something did
  /// not in time; see `refused`, and `left`. Threads of the runtime that still run keep what they need of it, finish
  /// the shutdown when they can, and end then.
  bool is_complete = true;
  /// Tasks that did not end by themselves in the time they were given for it (Refusal::waiting), and those that could
  /// not be ended (the others). A thousand of each at most.
  std::vector<RefusedTask> refused;
  /// What had not ended when the time was over.
  RuntimeCounters left;

  /// One line for each refused task, and one for what is left. Empty if there is nothing to say.
  std::string to_string() const;
};

}  // namespace skua
