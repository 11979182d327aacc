// Status: the codes this server answers with.
#pragma once

#include <cstdint>
#include <string_view>

namespace http {

enum class Status : std::uint16_t {
  ok = 200,
  bad_request = 400,
  not_found = 404,
  method_not_allowed = 405,
  request_timeout = 408,
  content_too_large = 413,
  expectation_failed = 417,
  header_fields_too_large = 431,
  not_implemented = 501,
  version_not_supported = 505,
};

/// "HTTP/1.1 200 OK\r\n"
std::string_view status_line(Status status) noexcept;

/// "200 OK": the body of an answer that has nothing else to say.
std::string_view status_text(Status status) noexcept;

}  // namespace http
