// Response: an answer, and how it is written.
#pragma once

#include "http/status.hpp"

#include <string>
#include <string_view>

namespace http {

struct Response {
  Status status = Status::ok;
  std::string_view content_type = "text/plain";
  std::string_view body;
  std::string allow;  // the methods that a 405 names
};

/// What has no content of its own says its status.
Response status_response(Status status);

/// What becomes of the connection after the response. HTTP/1.0 clients must be told that it lives on.
enum class Persistence { keep_alive, keep_alive_1_0, close };

/// Appends the response to `output`; `with_body` is false for HEAD. Allocates only where `output` must grow.
void append_response(std::string& output, const Response& response, Persistence persistence, bool with_body = true);

}  // namespace http
