// write_all(): writes a buffer, all of it.
//
//   co_await try_(write_all(stream, "HTTP/1.1 200 OK\r\n\r\n"));
//
// For any writer; a socket's own write_all() does the same with fewer polls.
#pragma once

#include <skua/io/concepts.hpp>
#include <skua/io/step.hpp>
#include <skua/io/stream_error.hpp>

#include <string>
#include <utility>

namespace skua {

template <AsyncWrite W>
class [[nodiscard]] WriteAll {
 public:
  WriteAll(W& writer, ConstBuffer buffer) noexcept : writer_(writer), buffer_(buffer) {}

  Poll<Result<void>> poll(Context& context) {
    while (done_ < buffer_.size()) {
      auto write = step_.poll(context, [&] { return writer_.write(buffer_.after(done_)); });
      if (write.is_pending()) return pending;
      const Result<std::size_t> count = std::move(write).take();
      if (!count) return Result<void>(error_of_part(count.error(), "write_all", how_far()));
      if (*count == 0) return Result<void>(Error(StreamError::write_zero, "write_all", how_far()));
      done_ += *count;
    }
    return Result<void>();
  }

  /// How many bytes the writer has taken so far, also after an error.
  std::size_t done() const noexcept { return done_; }

 private:
  std::string how_far() const { return std::to_string(done_) + " of " + std::to_string(buffer_.size()) + " bytes"; }

  W& writer_;
  ConstBuffer buffer_;
  std::size_t done_ = 0;
  Step<WriteFuture<W>> step_;
};

/// Ready when `writer` has taken all of `buffer`; it is not flushed. Errors: the writer's, and StreamError::write_zero.
/// Cancel safety: done() bytes have been written; keep the future in a variable, hand it to select() as an lvalue, and
/// await it again.
template <AsyncWrite W>
WriteAll<W> write_all(W& writer, ConstBuffer buffer) noexcept {
  return WriteAll<W>(writer, buffer);
}

}  // namespace skua
