// Report: the findings of `skua doctor`, one readable line each.
//
//   ok    io_uring       available, 63 operations
//   warn  open files     soft limit 1024 of 524288
//                        Each connection needs one. Raise it: ulimit -n 65536
#pragma once

#include <string>
#include <string_view>

namespace skua::cli {

class Report {
 public:
  /// Writes to standard output: coloured on a terminal, and folded at its width (80 elsewhere).
  Report();

  void ok(std::string_view subject, std::string_view finding, std::string_view advice = {});
  /// The runtime works, but not as well as it could, or not under load.
  void warn(std::string_view subject, std::string_view finding, std::string_view advice = {});
  /// The runtime cannot work.
  void fail(std::string_view subject, std::string_view finding, std::string_view advice = {});

  int warnings() const noexcept { return warnings_; }
  int failures() const noexcept { return failures_; }

 private:
  void line(std::string_view mark, const char* colour, std::string_view subject, std::string_view finding,
            std::string_view advice) const;

  bool colours_;
  std::size_t width_;
  int warnings_ = 0;
  int failures_ = 0;
};

}  // namespace skua::cli
