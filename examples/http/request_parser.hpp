// RequestParser: bytes in, requests out, without doing any I/O itself.
//
//   for (;;) {
//     switch (parser.next()) {
//       case Progress::complete: answer(parser.request()); break;      // there may be another one behind it
//       case Progress::failed: refuse(parser.status()); return;        // no way to tell where the next one starts
//       case Progress::need_more: parser.commit(read(parser.prepare()));
//     }
//   }
//
// The lines of a head are counted as they come, so that a limit applies before its bytes are kept; once the empty
// line is there, the head is parsed in one pass. The result depends on the bytes alone, not on how they were split.
#pragma once

#include "http/chunked_decoder.hpp"
#include "http/framing.hpp"
#include "http/head_scanner.hpp"
#include "http/input_buffer.hpp"

namespace http {

enum class Progress { need_more, complete, failed };
enum class Phase { idle, head, body };

class RequestParser {
 public:
  explicit RequestParser(const Limits& limits = {}) noexcept : limits_(limits), scanner_(limits_), chunks_(limits_) {}
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  /// Room for bytes that are to be read, and how many came.
  std::span<char> prepare();
  void commit(std::size_t count) noexcept { buffer_.commit(count); }

  /// Drops the request that was complete and looks for the next one.
  Progress next();

  /// The request that is complete; its text is valid until prepare() or next().
  const Request& request() const noexcept { return request_; }
  /// Why it failed. The connection cannot be used for further requests.
  Status status() const noexcept { return status_; }

  /// Which part of a request is being waited for; idle if nothing of one has come.
  Phase phase() const noexcept;
  /// Whether to send "100 Continue" now; true once per request.
  bool take_continue() noexcept;

 private:
  void start_over() noexcept;
  Progress fail(Status status) noexcept;
  Status parse();
  Progress read_length();
  Progress read_chunks();
  Progress finish(std::size_t body_size, std::size_t encoded_size);

  const Limits limits_;
  InputBuffer buffer_;  // starts with the current request
  HeadScanner scanner_;
  ChunkedDecoder chunks_;
  Request request_;
  Framing framing_;
  Status status_ = Status::ok;
  std::size_t head_size_ = 0;     // with the empty line; 0 until that has come
  std::size_t request_size_ = 0;  // 0 until it is complete
  bool head_moved_ = false;       // the buffer has moved since the head was parsed
};

}  // namespace http
