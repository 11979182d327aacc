#include "report.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace skua::cli {

namespace {

constexpr std::size_t text_column = 23;  // "  warn  locked memory  "

// Prints `text` from text_column on, folded between words; the cursor already stands there.
void print_folded(std::string_view text, std::size_t width) {
  std::size_t column = text_column;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (column > text_column && column + 1 + word.size() > width) {
      std::printf("\n%*s", static_cast<int>(text_column), "");
      column = text_column;
    }
    const std::string_view space = column > text_column ? " " : "";
    std::printf("%.*s%.*s", static_cast<int>(space.size()), space.data(), static_cast<int>(word.size()), word.data());
    column += space.size() + word.size();
  }
  std::printf("\n");
}

}  // namespace

Report::Report() {
  if (::isatty(STDOUT_FILENO) == 0) return;
  colours_ = std::getenv("NO_COLOR") == nullptr;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    width_ = std::clamp<std::size_t>(size.ws_col, 40, 100);
  }
}

void Report::line(std::string_view mark, const char* colour, std::string_view subject, std::string_view finding,
                  std::string_view advice) const {
  std::printf("  %s%-4.*s%s  %-15.*s", colours_ ? colour : "", static_cast<int>(mark.size()), mark.data(),
              colours_ ? "\033[0m" : "", static_cast<int>(subject.size()), subject.data());
  print_folded(finding, width_);
  if (advice.empty()) return;
  std::printf("%*s", static_cast<int>(text_column), "");
  print_folded(advice, width_);
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
