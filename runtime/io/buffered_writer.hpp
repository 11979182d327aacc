// BufferedWriter: gathers small writes into large ones.
//
//   BufferedWriter writer(std::move(stream));
//   for (const std::string& line : answer) co_await try_(write_all(writer, line));
//   co_await try_(writer.flush());
//
// Ownership: it owns the writer; of one that somebody else owns, make it from borrow(writer). DROPPED WITHOUT A FLUSH
// OR A SHUTDOWN, WHAT IS STILL IN THE BUFFER IS LOST: a destructor cannot wait.
//
// Errors of the writer are not remembered: what it has not taken stays in the buffer in order, and the next operation
// tries again. Cancel safety: a write that is dropped while it is pending has taken nothing; a dropped flush() or
// shutdown() has lost nothing and may be repeated. Threads: as the writer, one at a time.
#pragma once

#include <skua/io/buffered_reader.hpp>
#include <skua/io/byte_buffer.hpp>
#include <skua/io/concepts.hpp>
#include <skua/io/step.hpp>
#include <skua/io/stream_error.hpp>

#include <algorithm>
#include <utility>

namespace skua {

/// Writes what is in a buffer, until it is empty or, with `room`, smaller than that. What was written leaves the
/// buffer.
template <AsyncWrite W>
class Drain {
 public:
  Drain(W& writer, ByteBuffer& buffer) noexcept : writer_(writer), buffer_(buffer) {}

  Poll<Result<void>> poll(Context& context, std::size_t room = 1) {
    while (step_.is_pending() || buffer_.size() >= room) {
      auto write = step_.poll(context, [&] { return writer_.write(buffer_.bytes()); });
      if (write.is_pending()) return pending;
      Result<std::size_t> count = std::move(write).take();
      if (!count) return Result<void>(std::move(count).error());
      if (*count == 0) return Result<void>(Error(StreamError::write_zero, "flush"));
      buffer_.consume(*count);
    }
    return Result<void>();
  }

 private:
  W& writer_;
  ByteBuffer& buffer_;
  Step<WriteFuture<W>> step_;
};

/// Writes what is in a buffer, then does `Last` with the writer: FlushFuture or ShutdownFuture.
template <AsyncWrite W, Future Last>
class [[nodiscard]] DrainThen {
 public:
  using MakeLast = Last (*)(W&);
  DrainThen(W& writer, ByteBuffer& buffer, MakeLast make_last) noexcept
      : writer_(writer), make_last_(make_last), drain_(writer, buffer) {}

  Poll<Result<void>> poll(Context& context) {
    if (!last_.is_pending()) {
      auto drained = drain_.poll(context);
      if (drained.is_pending() || !drained.value()) return drained;
    }
    return last_.poll(context, [&] { return make_last_(writer_); });
  }

 private:
  W& writer_;
  MakeLast make_last_;
  Drain<W> drain_;
  Step<Last> last_;
};

template <AsyncWrite W>
class BufferedWriter {
 public:
  /// Holds back up to `capacity` bytes.
  explicit BufferedWriter(W writer, std::size_t capacity = default_buffer_size)
      : writer_(std::move(writer)), capacity_(std::max<std::size_t>(capacity, 1)) {}

  /// See AsyncWrite. Waits only if the buffer is full; a piece that would fill an empty one goes past it.
  auto write(ConstBuffer buffer) noexcept { return Write(*this, buffer); }
  /// Writes what was held back, and flushes the writer.
  auto flush() noexcept { return DrainThen<W, FlushFuture<W>>(writer_, buffer_, &skua::flush<W>); }
  /// As flush(), then ends the stream.
  auto shutdown() noexcept { return DrainThen<W, ShutdownFuture<W>>(writer_, buffer_, &skua::shutdown<W>); }

  /// The bytes that are held back.
  std::span<const std::byte> buffered() const noexcept { return buffer_.bytes(); }
  W& inner() noexcept { return writer_; }
  /// The writer; what was held back is lost.
  W into_inner() && { return std::move(writer_); }

 private:
  class [[nodiscard]] Write {
   public:
    Write(BufferedWriter& self, ConstBuffer from) noexcept
        : self_(self), from_(from), drain_(self.writer_, self.buffer_) {}
    Poll<Result<std::size_t>> poll(Context& context) {
      if (past_.is_pending() || (self_.buffer_.empty() && from_.size() >= self_.capacity_)) {
        return past_.poll(context, [&] { return self_.writer_.write(from_); });
      }
      if (from_.size() != 0) {
        auto drained = drain_.poll(context, self_.capacity_);
        if (drained.is_pending()) return pending;
        if (Result<void> room = std::move(drained).take(); !room) {
          return Result<std::size_t>(std::move(room).error());
        }
      }
      const std::size_t count = std::min(from_.size(), self_.capacity_ - self_.buffer_.size());
      self_.buffer_.append({from_.data(), count});
      return Result<std::size_t>(count);
    }

   private:
    BufferedWriter& self_;
    ConstBuffer from_;
    Drain<W> drain_;
    Step<WriteFuture<W>> past_;
  };

  W writer_;
  std::size_t capacity_;
  ByteBuffer buffer_;
};

}  // namespace skua
