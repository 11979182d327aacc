#include <skua/process/exit_status.hpp>
#include <skua/signal/signal_name.hpp>

#include <csignal>

namespace skua {

std::optional<int> ExitStatus::code() const noexcept {
  return how_ == CLD_EXITED ? std::optional(status_) : std::nullopt;
}

std::optional<int> ExitStatus::signal() const noexcept {
  return how_ == CLD_EXITED ? std::nullopt : std::optional(status_);
}

bool ExitStatus::core_dumped() const noexcept { return how_ == CLD_DUMPED; }

std::string ExitStatus::to_string() const {
  if (how_ == CLD_EXITED) return std::string("exit code ").append(std::to_string(status_));
  return std::string("killed by ").append(signal_name(status_)).append(core_dumped() ? " (core dumped)" : "");
}

}  // namespace skua
