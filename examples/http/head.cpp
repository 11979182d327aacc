#include "http/head.hpp"

#include "http/text.hpp"

namespace http {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

Status parse_version(std::string_view text, int& minor) noexcept {
  constexpr std::string_view prefix = "HTTP/";
  if (text == "HTTP/1.1" || text == "HTTP/1.0") {
    minor = text.back() - '0';
    return Status::ok;
  }
  const bool is_version =
      text.size() == 8 && text.starts_with(prefix) && is_digit(text[5]) && text[6] == '.' && is_digit(text[7]);
  return is_version ? Status::version_not_supported : Status::bad_request;
}

// "GET /path HTTP/1.1", with exactly one space between the parts.
Status parse_request_line(std::string_view line, Request& request) noexcept {
  const std::size_t first = line.find(' ');
  if (first == line.npos) return Status::bad_request;
  const std::size_t second = line.find(' ', first + 1);
  if (second == line.npos) return Status::bad_request;
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, second - first - 1);
  if (!is_token(request.method) || !is_visible(request.target)) return Status::bad_request;
  return parse_version(line.substr(second + 1), request.minor_version);
}

}  // namespace

bool parse_field(std::string_view line, Field& field) noexcept {
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return false;
  field.name = line.substr(0, colon);
  field.value = trim(line.substr(colon + 1));
  return is_token(field.name) && is_field_value(field.value);
}

Status parse_head(std::string_view head, Request& request) {
  request.fields.clear();
  if (const Status status = parse_request_line(take_line(head), request); status != Status::ok) return status;
  while (!head.empty()) {
    if (!parse_field(take_line(head), request.fields.emplace_back())) return Status::bad_request;
  }
  return Status::ok;
}

}  // namespace http
