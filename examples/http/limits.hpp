// Limits: how large a request may be. They are active by default; a byte more is an error status, never a bigger
// buffer.
#pragma once

#include <cstddef>

namespace http {

struct Limits {
  std::size_t request_line = 8 * 1024;  // with its CRLF; beyond: 431
  std::size_t fields = 100;             // header fields, and again trailer fields; beyond: 431
  std::size_t field_bytes = 32 * 1024;  // all field lines with their CRLFs; beyond: 431
  std::size_t chunk_line = 256;         // a chunk's size with its extensions and CRLF; beyond: 400
  std::size_t body = 1024 * 1024;       // after decoding; beyond: 413
};

}  // namespace http
