// HeadScanner: finds the end of a head while it comes, line by line, and holds it to its limits.
#pragma once

#include "http/limits.hpp"
#include "http/status.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace http {

class HeadScanner {
 public:
  explicit HeadScanner(const Limits& limits) noexcept : limits_(limits) {}

  /// Goes on with `bytes`: all that have come since reset(). Nothing: more are needed. Status::ok: the head is there.
  std::optional<Status> scan(std::string_view bytes) noexcept;
  void reset() noexcept { skipped_ = line_ = fields_start_ = fields_ = scanned_ = 0; }

  /// The head without the empty line behind it. Requires Status::ok.
  std::string_view head(std::string_view bytes) const noexcept {
    return bytes.substr(skipped_, scanned_ - 2 - skipped_);
  }
  /// Where the body starts. Requires Status::ok.
  std::size_t end() const noexcept { return scanned_; }

 private:
  bool exceeds_limit(bool line_complete) const noexcept;
  std::optional<Status> count_line(bool empty) noexcept;

  const Limits& limits_;
  std::size_t skipped_ = 0;       // an empty line in front of the request line, as RFC 9112, section 2.2 asks
  std::size_t line_ = 0;          // where the current line starts
  std::size_t fields_start_ = 0;  // where the first field starts; 0 before
  std::size_t fields_ = 0;
  std::size_t scanned_ = 0;  // no line ends between line_ and here
};

}  // namespace http
