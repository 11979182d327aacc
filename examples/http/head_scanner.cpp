#include "http/head_scanner.hpp"

namespace http {

std::optional<Status> HeadScanner::scan(std::string_view bytes) noexcept {
  for (;;) {
    const std::size_t end = bytes.find('\n', scanned_);
    const bool complete = end != bytes.npos;
    scanned_ = complete ? end + 1 : bytes.size();
    if (exceeds_limit(complete)) return Status::header_fields_too_large;
    if (!complete) return std::nullopt;
    if (end == line_ || bytes[end - 1] != '\r') return Status::bad_request;
    const bool empty = end - line_ == 1;
    line_ = scanned_;
    if (const auto status = count_line(empty)) return status;
  }
}

// A line whose end has not come is at least one byte longer than what has.
bool HeadScanner::exceeds_limit(bool line_complete) const noexcept {
  const std::size_t least = scanned_ + (line_complete ? 0 : 1);
  return fields_start_ == 0 ? least - skipped_ > limits_.request_line : least - fields_start_ > limits_.field_bytes;
}

std::optional<Status> HeadScanner::count_line(bool empty) noexcept {
  if (fields_start_ == 0) {
    if (empty && skipped_ > 0) return Status::bad_request;
    (empty ? skipped_ : fields_start_) = line_;
    return std::nullopt;
  }
  if (empty) return Status::ok;
  return ++fields_ > limits_.fields ? std::optional(Status::header_fields_too_large) : std::nullopt;
}

}  // namespace http
