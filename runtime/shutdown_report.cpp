#include <skua/shutdown_report.hpp>

namespace skua {

std::string RuntimeCounters::to_string() const {
  std::string text = "tasks " + std::to_string(tasks);
  text += ", timers " + std::to_string(timers);
  text += ", sources " + std::to_string(sources);
  text += ", operations " + std::to_string(operations);
  return text + ", blocking " + std::to_string(blocking);
}

std::string ShutdownReport::to_string() const {
  std::string text;
  for (const RefusedTask& task : refused) text += task.to_string() + "\n";
  if (!is_complete) text += "not ended in time: " + left.to_string() + "\n";
  return text;
}

}  // namespace skua
