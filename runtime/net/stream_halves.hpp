// ReadHalf and WriteHalf: the two directions of a stream of sockets, for two tasks or for join() in one.
//
// Ownership: halves of into_split() own the connection, which closes with the last of them; dropping the writing one
// ends its direction. Halves of split() borrow it, and dropping them does nothing.
#pragma once

#include <skua/core/ref.hpp>
#include <skua/io/io_operation.hpp>
#include <skua/net/stream_calls.hpp>

#include <utility>

namespace skua {

template <class Stream>
class StreamOperations;

template <class Stream>
class ReadHalf {
 public:
  explicit ReadHalf(Ref<reactor::IoSource> source) noexcept : source_(std::move(source)) {}
  ReadHalf(ReadHalf&&) noexcept = default;
  ReadHalf& operator=(ReadHalf&&) noexcept = default;

  /// As in the stream.
  IoOperation<ReadCall> read(MutableBuffer buffer) noexcept { return {*source_, ReadCall(buffer)}; }
  IoOperation<VectoredReadCall> read_vectored(std::span<const iovec> parts) noexcept {
    return {*source_, VectoredReadCall(parts)};
  }
  IoOperation<PeekCall> peek(MutableBuffer buffer) noexcept { return {*source_, PeekCall(buffer)}; }
  IoOperation<ReadyCall<reactor::Direction::read>> readable() noexcept { return {*source_, {}}; }
  Result<std::size_t> try_read(MutableBuffer buffer) { return try_now(*source_, ReadCall(buffer)); }

 private:
  friend class StreamOperations<Stream>;
  Ref<reactor::IoSource> source_;
};

template <class Stream>
class WriteHalf {
 public:
  WriteHalf(Ref<reactor::IoSource> source, bool ends_direction) noexcept
      : source_(std::move(source)), ends_direction_(ends_direction) {}
  WriteHalf(WriteHalf&&) noexcept = default;
  WriteHalf& operator=(WriteHalf&&) = delete;
  ~WriteHalf() {
    if (source_ && ends_direction_) static_cast<void>(shutdown());
  }

  /// As in the stream.
  IoOperation<WriteCall> write(ConstBuffer buffer) noexcept { return {*source_, WriteCall(buffer)}; }
  IoOperation<WriteAllCall> write_all(ConstBuffer buffer) noexcept { return {*source_, WriteAllCall(buffer)}; }
  IoOperation<VectoredWriteCall> write_vectored(std::span<const iovec> parts) noexcept {
    return {*source_, VectoredWriteCall(parts)};
  }
  IoOperation<ReadyCall<reactor::Direction::write>> writable() noexcept { return {*source_, {}}; }
  Result<std::size_t> try_write(ConstBuffer buffer) { return try_now(*source_, WriteCall(buffer)); }
  /// Ends the direction. Does not wait.
  Result<void> shutdown() { return end_direction(source_->fd(), Shutdown::write); }

 private:
  friend class StreamOperations<Stream>;
  Ref<reactor::IoSource> source_;
  bool ends_direction_;
};

}  // namespace skua
