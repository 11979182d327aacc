#include "http/status.hpp"

namespace http {

std::string_view status_line(Status status) noexcept {
  switch (status) {
    case Status::ok: return "HTTP/1.1 200 OK\r\n";
    case Status::bad_request: return "HTTP/1.1 400 Bad Request\r\n";
    case Status::not_found: return "HTTP/1.1 404 Not Found\r\n";
    case Status::method_not_allowed: return "HTTP/1.1 405 Method Not Allowed\r\n";
    case Status::request_timeout: return "HTTP/1.1 408 Request Timeout\r\n";
    case Status::content_too_large: return "HTTP/1.1 413 Content Too Large\r\n";
    case Status::expectation_failed: return "HTTP/1.1 417 Expectation Failed\r\n";
    case Status::header_fields_too_large: return "HTTP/1.1 431 Request Header Fields Too Large\r\n";
    case Status::not_implemented: return "HTTP/1.1 501 Not Implemented\r\n";
    case Status::version_not_supported: return "HTTP/1.1 505 HTTP Version Not Supported\r\n";
  }
  return "HTTP/1.1 500 Internal Server Error\r\n";
}

std::string_view status_text(Status status) noexcept {
  std::string_view text = status_line(status);
  text.remove_prefix(std::string_view("HTTP/1.1 ").size());
  text.remove_suffix(std::string_view("\r\n").size());
  return text;
}

}  // namespace http
