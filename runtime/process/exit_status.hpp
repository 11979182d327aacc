// ExitStatus: how a child process ended: with an exit code of its own, or by a signal.
#pragma once

#include <optional>
#include <string>

namespace skua {

class ExitStatus {
 public:
  /// As waitid() reports it: si_code (CLD_EXITED, CLD_KILLED, CLD_DUMPED) and si_status.
  constexpr ExitStatus(int how, int status) noexcept : how_(how), status_(status) {}

  /// The exit code is 0.
  bool success() const noexcept { return code() == 0; }
  /// 0 to 255; nothing if a signal ended the process.
  std::optional<int> code() const noexcept;
  /// The signal that ended the process, e.g. SIGKILL.
  std::optional<int> signal() const noexcept;
  bool core_dumped() const noexcept;

  /// "exit code 3", "killed by SIGSEGV (core dumped)"
  std::string to_string() const;

  friend bool operator==(const ExitStatus&, const ExitStatus&) = default;

 private:
  int how_;
  int status_;
};

}  // namespace skua
