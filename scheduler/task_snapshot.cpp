#include <skua/scheduler/task_snapshot.hpp>

namespace skua {

namespace {
std::string line_of(std::source_location at) { return std::string(at.file_name()) + ":" + std::to_string(at.line()); }
}  // namespace

std::string_view to_string(TaskPhase phase) noexcept {
  switch (phase) {
    case TaskPhase::waiting: return "waiting";
    case TaskPhase::queued: return "queued";
    case TaskPhase::running: return "running";
    case TaskPhase::ending: return "ending";
  }
  return "?";
}

std::string TaskSnapshot::to_string() const {
  std::string text = "task " + id.to_string();
  if (!name.empty()) text += " (" + name + ")";
  text += ", ";
  text += skua::to_string(phase);
  if (waits_at.line() != 0) text += " at " + line_of(waits_at);
  return text + ", spawned at " + line_of(spawned_at);
}

}  // namespace skua
