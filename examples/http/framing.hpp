// Framing: where a request ends, and whether another may follow it (RFC 9112, sections 6 and 9).
//
// Two parties that disagree about the end of a request can be made to see different requests ("smuggling"). So
// whatever could be read in two ways is an error here: Content-Length beside Transfer-Encoding, lengths that differ,
// signs and spaces in a length, two hosts, codings other than plain `chunked`.
#pragma once

#include "http/limits.hpp"
#include "http/request.hpp"
#include "http/status.hpp"

#include <cstdint>

namespace http {

struct Framing {
  bool chunked = false;
  std::uint64_t length = 0;       // of the body, unless chunked
  bool expects_continue = false;  // the client waits for "100 Continue" before it sends the body
  bool keep_alive = true;
};

/// Reads the fields that matter for it. Status::ok, or the error.
[[nodiscard]] Status read_framing(const Request& request, const Limits& limits, Framing& framing);

}  // namespace http
