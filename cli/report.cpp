#include "report.hpp"

#include "terminal.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace skua::cli {

namespace {
constexpr std::size_t text_column = 23;  // "  warn  locked memory  "
}

Report::Report()
    : colours_(::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr), width_(terminal_width()) {}

void Report::line(std::string_view mark, const char* colour, std::string_view subject, std::string_view finding,
                  std::string_view advice) const {
  std::printf("  %s%-4.*s%s  %-15.*s", colours_ ? colour : "", static_cast<int>(mark.size()), mark.data(),
              colours_ ? "\033[0m" : "", static_cast<int>(subject.size()), subject.data());
  std::printf("%s\n", folded(finding, text_column, width_).c_str());
  if (advice.empty()) return;
  std::printf("%*s%s\n", static_cast<int>(text_column), "", folded(advice, text_column, width_).c_str());
}

void Report::ok(std::string_view subject, std::string_view finding, std::string_view advice) {
  line("ok", "\033[32m", subject, finding, advice);
}
void Report::warn(std::string_view subject, std::string_view finding, std::string_view advice) {
  ++warnings_;
  line("warn", "\033[33m", subject, finding, advice);
}
void Report::fail(std::string_view subject, std::string_view finding, std::string_view advice) {
  ++failures_;
  line("FAIL", "\033[31;1m", subject, finding, advice);
}

}  // namespace skua::cli
