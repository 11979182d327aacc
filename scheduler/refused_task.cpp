#include <skua/scheduler/refused_task.hpp>

namespace skua {

std::string_view to_string(Refusal why) noexcept {
  switch (why) {
    case Refusal::waiting: return "waiting";
    case Refusal::polling: return "inside of a poll";
    case Refusal::blocking: return "inside of a blocking function";
    case Refusal::unreached: return "not reached by any worker";
  }
  return "?";
}

std::string RefusedTask::to_string() const {
  std::string text = "task " + id.to_string();
  if (!name.empty()) text += " (" + name + ")";
  text += ", ";
  text += skua::to_string(why);
  text += why == Refusal::waiting ? " at " : ", spawned at ";
  text += at.file_name();
  return text + ":" + std::to_string(at.line());
}

}  // namespace skua
