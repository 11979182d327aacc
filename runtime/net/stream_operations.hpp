// StreamOperations: what TCP and Unix streams have in common: bytes in both directions, each with an end.
//
// Thread safety: one task may read while another writes (split() says so in types); two readers or two writers get the
// bytes in some order. A stream must outlive its pending operations. Dropping it closes the connection; a peer sees the
// end even if operations were pending.
#pragma once

#include <skua/io/io_operation.hpp>
#include <skua/net/socket.hpp>
#include <skua/net/stream_calls.hpp>
#include <skua/net/stream_halves.hpp>

#include <span>
#include <utility>

namespace skua {

/// Base of `Stream`, which derives from SocketOptions too and is made from a Socket.
template <class Stream>
class StreamOperations {
 public:
  /// Ready with how many bytes came, at least one; 0 at the end of the stream (or for an empty buffer).
  /// Cancel safety: no bytes are lost.
  IoOperation<ReadCall> read(MutableBuffer buffer) noexcept { return {io_source(), ReadCall(buffer)}; }
  /// Ready with how many bytes the kernel took: at least one, perhaps not all. Cancel safety: nothing has been written.
  IoOperation<WriteCall> write(ConstBuffer buffer) noexcept { return {io_source(), WriteCall(buffer)}; }
  /// Ready when the kernel has taken all bytes. Not cancel safe: an unknown part has been written.
  IoOperation<WriteAllCall> write_all(ConstBuffer buffer) noexcept { return {io_source(), WriteAllCall(buffer)}; }
  /// As read() and write() with up to 1024 pieces.
  IoOperation<VectoredReadCall> read_vectored(std::span<const iovec> parts) noexcept {
    return {io_source(), VectoredReadCall(parts)};
  }
  IoOperation<VectoredWriteCall> write_vectored(std::span<const iovec> parts) noexcept {
    return {io_source(), VectoredWriteCall(parts)};
  }
  /// As read(); the bytes stay, and the next read gets them again.
  IoOperation<PeekCall> peek(MutableBuffer buffer) noexcept { return {io_source(), PeekCall(buffer)}; }

  /// As read() and write(), without a wait: the error operation_would_block stands for one.
  Result<std::size_t> try_read(MutableBuffer buffer) { return try_now(io_source(), ReadCall(buffer)); }
  Result<std::size_t> try_write(ConstBuffer buffer) { return try_now(io_source(), WriteCall(buffer)); }
  /// Ready when try_read() or try_write() would not wait, at the end and after an error too. Another task may be
  /// faster. Cancel safety: nothing to lose.
  IoOperation<ReadyCall<reactor::Direction::read>> readable() noexcept { return {io_source(), {}}; }
  IoOperation<ReadyCall<reactor::Direction::write>> writable() noexcept { return {io_source(), {}}; }

  /// Ends one or both directions: the peer reads the end of the stream after what was written. Does not wait.
  Result<void> shutdown(Shutdown how) { return end_direction(io_source().fd(), how); }

  /// The two directions, borrowed: for join() of a reader and a writer in one task.
  std::pair<ReadHalf<Stream>, WriteHalf<Stream>> split() & noexcept {
    const Socket& socket = self().socket();
    return {ReadHalf<Stream>(socket.share()), WriteHalf<Stream>(socket.share(), false)};
  }
  /// The two directions, owned: for two tasks. The connection closes with the last half; dropping the writer ends its
  /// direction.
  std::pair<ReadHalf<Stream>, WriteHalf<Stream>> into_split() && noexcept {
    Ref<reactor::IoSource> source = std::move(self()).release_socket().release();
    return {ReadHalf<Stream>(source), WriteHalf<Stream>(std::move(source), true)};
  }
  /// The stream that into_split() made these from. Error: invalid_argument if they are not the two owned halves of one
  /// stream; then they are left as they are.
  static Result<Stream> reunite(ReadHalf<Stream>&& reader, WriteHalf<Stream>&& writer) {
    if (!reader.source_ || reader.source_.get() != writer.source_.get() || !writer.ends_direction_) {
      return Error(std::errc::invalid_argument, "reunite", "halves that are not those of one stream");
    }
    reader.source_ = nullptr;
    return Stream(Socket(std::move(writer.source_)));
  }

 protected:
  StreamOperations() = default;
  ~StreamOperations() = default;

 private:
  Stream& self() noexcept { return static_cast<Stream&>(*this); }
  reactor::IoSource& io_source() noexcept { return self().socket().source(); }
};

/// As Stream::reunite(), by the name that it has for the halves of any stream (io/split.hpp).
template <class Stream>
Result<Stream> reunite(ReadHalf<Stream>&& reader, WriteHalf<Stream>&& writer) {
  return Stream::reunite(std::move(reader), std::move(writer));
}

}  // namespace skua
