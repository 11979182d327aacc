// The head of a request, once all of it is there: the request line and the fields.
#pragma once

#include "http/request.hpp"
#include "http/status.hpp"

namespace http {

/// Reads `head`, lines that all end with CRLF, without the empty one, into `request`. Status::ok, or the error.
/// White space before a colon and lines that continue the previous one are errors: the name is no token then.
[[nodiscard]] Status parse_head(std::string_view head, Request& request);

/// Reads "name: value". False if it is malformed.
[[nodiscard]] bool parse_field(std::string_view line, Field& field) noexcept;

}  // namespace http
