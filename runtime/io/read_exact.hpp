// read_exact(): fills a buffer from a reader, all of it.
//
//   std::array<char, 12> header;
//   co_await try_(read_exact(stream, header));
#pragma once

#include <skua/io/concepts.hpp>
#include <skua/io/step.hpp>
#include <skua/io/stream_error.hpp>

#include <string>
#include <utility>

namespace skua {

template <AsyncRead R>
class [[nodiscard]] ReadExact {
 public:
  ReadExact(R& reader, MutableBuffer buffer) noexcept : reader_(reader), buffer_(buffer) {}

  Poll<Result<void>> poll(Context& context) {
    while (done_ < buffer_.size()) {
      auto read = step_.poll(context, [&] { return reader_.read(buffer_.after(done_)); });
      if (read.is_pending()) return pending;
      const Result<std::size_t> count = std::move(read).take();
      if (!count) return Result<void>(error_of_part(count.error(), "read_exact", how_far()));
      if (*count == 0) return Result<void>(Error(StreamError::unexpected_eof, "read_exact", how_far()));
      done_ += *count;
    }
    return Result<void>();
  }

  /// How many bytes have come so far: they stand at the front of the buffer, also after an error.
  std::size_t done() const noexcept { return done_; }

 private:
  std::string how_far() const { return std::to_string(done_) + " of " + std::to_string(buffer_.size()) + " bytes"; }

  R& reader_;
  MutableBuffer buffer_;
  std::size_t done_ = 0;
  Step<ReadFuture<R>> step_;
};

/// Ready when `buffer` is full. Errors: StreamError::unexpected_eof, and the reader's. Cancel safety: the bytes that
/// have come are in the buffer; keep the future in a variable, hand it to select() as an lvalue, and await it again, or
/// ask it for done().
template <AsyncRead R>
ReadExact<R> read_exact(R& reader, MutableBuffer buffer) noexcept {
  return ReadExact<R>(reader, buffer);
}

}  // namespace skua
