// BufferedReader: reads ahead, so that small reads cost no system call, and lines can be looked for.
//
//   BufferedReader reader(std::move(stream));
//   std::string line;
//   while (co_await try_(read_line(reader, line))) use(line);     // io/read_line.hpp
//
// Ownership: it owns the reader; of one that somebody else owns, make it from borrow(reader). What was read ahead is
// dropped with it.
//
// Cancel safety of all operations: bytes that were read stay in the buffer until an operation is ready with them.
// Threads: as the reader, one at a time.
#pragma once

#include <skua/io/byte_buffer.hpp>
#include <skua/io/concepts.hpp>
#include <skua/io/step.hpp>

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

namespace skua {

inline constexpr std::size_t default_buffer_size = 8 * 1024;

template <AsyncRead R>
class BufferedReader {
 public:
  /// Reads `capacity` bytes at a time.
  explicit BufferedReader(R reader, std::size_t capacity = default_buffer_size)
      : reader_(std::move(reader)), capacity_(std::max<std::size_t>(capacity, 1)) {}

  /// See AsyncRead: from the buffer, or if that is empty and the caller's is larger, past it.
  auto read(MutableBuffer buffer) noexcept { return Read(*this, buffer); }
  /// See AsyncBufRead. The buffer grows if it is full: whoever looks for something in it sets the limit.
  auto fill() noexcept { return Fill(*this); }
  std::span<const std::byte> buffered() const noexcept { return buffer_.bytes(); }
  void consume(std::size_t count) noexcept { buffer_.consume(count); }

  R& inner() noexcept { return reader_; }
  /// The reader; bytes that were read ahead and not consumed are lost.
  R into_inner() && { return std::move(reader_); }

 private:
  class [[nodiscard]] Fill {
   public:
    explicit Fill(BufferedReader& self) noexcept : self_(self) {}
    Poll<Result<std::size_t>> poll(Context& context) {
      auto read = step_.poll(context, [&] { return self_.reader_.read(self_.buffer_.prepare(self_.room())); });
      if (read.is_ready() && read.value()) self_.buffer_.commit(*read.value());
      return read;
    }

   private:
    BufferedReader& self_;
    Step<ReadFuture<R>> step_;
  };

  class [[nodiscard]] Read {
   public:
    Read(BufferedReader& self, MutableBuffer into) noexcept : self_(self), into_(into), fill_(self) {}
    Poll<Result<std::size_t>> poll(Context& context) {
      if (into_.size() == 0) return Result<std::size_t>(0);
      if (self_.buffer_.empty()) {
        if (into_.size() >= self_.capacity_) {
          return past_.poll(context, [&] { return self_.reader_.read(into_); });
        }
        auto filled = fill_.poll(context);
        if (filled.is_pending() || !filled.value() || *filled.value() == 0) return filled;
      }
      const std::size_t count = std::min(into_.size(), self_.buffer_.size());
      std::memcpy(into_.data(), self_.buffer_.bytes().data(), count);
      self_.buffer_.consume(count);
      return Result<std::size_t>(count);
    }

   private:
    BufferedReader& self_;
    MutableBuffer into_;
    Fill fill_;
    Step<ReadFuture<R>> past_;
  };

  std::size_t room() const noexcept { return buffer_.size() < capacity_ ? capacity_ - buffer_.size() : 1; }

  R reader_;
  std::size_t capacity_;
  ByteBuffer buffer_;
};

}  // namespace skua
