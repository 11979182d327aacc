// ChunkedDecoder: the chunked transfer coding (RFC 9112, section 7.1), decoded where it lies.
//
// The decoded body grows over the encoded bytes from the front; the gap between the two is closed before more bytes
// are read, so the buffer stays as large as the body. Chunk extensions and trailers are checked and dropped.
#pragma once

#include "http/limits.hpp"
#include "http/status.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace http {

class ChunkedDecoder {
 public:
  explicit ChunkedDecoder(const Limits& limits) noexcept : limits_(limits) {}

  /// Makes ready for the next body.
  void reset() noexcept;

  /// Goes on with `body`, of which `size` bytes have come. Nothing: more bytes are needed. Status::ok: complete.
  std::optional<Status> decode(char* body, std::size_t size) noexcept;

  /// The decoded body is the first decoded() bytes; the gap reaches to consumed().
  std::size_t decoded() const noexcept { return decoded_; }
  std::size_t consumed() const noexcept { return consumed_; }
  /// The gap has been taken out of the buffer.
  void close_gap() noexcept { consumed_ = decoded_; }

 private:
  enum class State { chunk_line, data, data_end, trailer };

  // The answer if the line decides it; otherwise the state moves on.
  std::optional<Status> read_line(std::string_view line) noexcept;
  std::optional<Status> read_chunk_line(std::string_view line) noexcept;
  std::size_t line_limit() const noexcept;
  void move_data(char* body, std::size_t size) noexcept;

  const Limits& limits_;
  State state_ = State::chunk_line;
  std::size_t decoded_ = 0;
  std::size_t consumed_ = 0;
  std::uint64_t chunk_left_ = 0;
  std::size_t trailer_fields_ = 0;
  std::size_t trailer_bytes_ = 0;
};

}  // namespace http
