// TcpStream: a TCP connection.
//
//   TcpStream stream = co_await try_(TcpStream::connect(address));
//   co_await try_(stream.write_all("ping"));
//   std::array<char, 4096> buffer;
//   std::size_t n = co_await try_(stream.read(buffer));   // 0: the peer has ended its side
//
// Thread safety: one task may read while another writes (split() says so in types); two readers or two writers get the
// bytes in some order. A stream must outlive its pending operations. Dropping it closes the connection; a peer sees the
// end even if operations were pending.
#pragma once

#include <skua/core/task.hpp>
#include <skua/io/buffer.hpp>
#include <skua/io/io_operation.hpp>
#include <skua/io/shutdown.hpp>
#include <skua/net/socket.hpp>

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

namespace skua {

/// The system calls of a stream: see IoOperation. Most tell how many bytes they moved.
struct CountedCall {
  using Value = std::size_t;
  static Result<Value> finish(ssize_t count) { return static_cast<std::size_t>(count); }
};

struct ReadCall : CountedCall {
  static constexpr auto direction = reactor::Direction::read;
  static constexpr const char* name = "read";
  explicit ReadCall(MutableBuffer into) noexcept : buffer(into) {}
  bool has_nothing_to_do() const noexcept { return buffer.size() == 0; }
  ssize_t attempt(int fd) noexcept;
  bool drained(ssize_t count) const noexcept { return count > 0 && static_cast<std::size_t>(count) < buffer.size(); }
  MutableBuffer buffer;
};

struct WriteCall : CountedCall {
  static constexpr auto direction = reactor::Direction::write;
  static constexpr const char* name = "write";
  explicit WriteCall(ConstBuffer from) noexcept : buffer(from) {}
  bool has_nothing_to_do() const noexcept { return buffer.size() == 0; }
  ssize_t attempt(int fd) noexcept;
  bool drained(ssize_t count) const noexcept { return static_cast<std::size_t>(count) < buffer.size(); }
  ConstBuffer buffer;
};

struct WriteAllCall {
  using Value = void;
  static constexpr auto direction = reactor::Direction::write;
  static constexpr const char* name = "write_all";
  explicit WriteAllCall(ConstBuffer from) noexcept : rest(from) {}
  bool has_nothing_to_do() const noexcept { return rest.size() == 0; }
  ssize_t attempt(int fd) noexcept;
  bool drained(ssize_t) const noexcept { return false; }
  static Result<void> finish(ssize_t) { return {}; }
  ConstBuffer rest;
};

struct VectoredReadCall : CountedCall {
  static constexpr auto direction = reactor::Direction::read;
  static constexpr const char* name = "read_vectored";
  explicit VectoredReadCall(std::span<const iovec> into) noexcept : parts(into) {}
  bool has_nothing_to_do() const noexcept { return parts.empty(); }
  ssize_t attempt(int fd) noexcept;
  bool drained(ssize_t) const noexcept { return false; }
  std::span<const iovec> parts;
};

struct VectoredWriteCall : CountedCall {
  static constexpr auto direction = reactor::Direction::write;
  static constexpr const char* name = "write_vectored";
  explicit VectoredWriteCall(std::span<const iovec> from) noexcept : parts(from) {}
  bool has_nothing_to_do() const noexcept { return parts.empty(); }
  ssize_t attempt(int fd) noexcept;
  bool drained(ssize_t) const noexcept { return false; }
  std::span<const iovec> parts;
};

class TcpReader;
class TcpWriter;

class TcpStream {
 public:
  /// Connects. Errors: connection_refused, timed_out (by the kernel, after minutes: see timeout()),
  /// network_unreachable, ..., with the address. Cancel safety: dropping it gives the attempt up.
  static Task<Result<TcpStream>> connect(SocketAddress address);

  /// Takes over a connected, non-blocking socket.
  explicit TcpStream(Socket socket) noexcept : socket_(std::move(socket)) {}

  /// Ready with how many bytes came, at least one; 0 at the end of the stream (or for an empty buffer).
  /// Cancel safety: no bytes are lost.
  IoOperation<ReadCall> read(MutableBuffer buffer) noexcept { return {source(), ReadCall(buffer)}; }
  /// Ready with how many bytes the kernel took: at least one, perhaps not all. Cancel safety: nothing has been written.
  IoOperation<WriteCall> write(ConstBuffer buffer) noexcept { return {source(), WriteCall(buffer)}; }
  /// Ready when the kernel has taken all bytes. Not cancel safe: an unknown part has been written.
  IoOperation<WriteAllCall> write_all(ConstBuffer buffer) noexcept { return {source(), WriteAllCall(buffer)}; }
  /// As read() and write() with up to 1024 pieces.
  IoOperation<VectoredReadCall> read_vectored(std::span<const iovec> parts) noexcept {
    return {source(), VectoredReadCall(parts)};
  }
  IoOperation<VectoredWriteCall> write_vectored(std::span<const iovec> parts) noexcept {
    return {source(), VectoredWriteCall(parts)};
  }

  /// Ends one or both directions: the peer reads the end of the stream after what was written. Does not wait.
  Result<void> shutdown(Shutdown how);

  Result<SocketAddress> local_address() const { return socket_.local_address(); }
  Result<SocketAddress> peer_address() const { return socket_.peer_address(); }

  /// TCP_NODELAY: small writes are sent at once.
  Result<void> set_nodelay(bool on);
  Result<bool> nodelay() const;
  /// SO_KEEPALIVE.
  Result<void> set_keepalive(bool on);
  /// SO_LINGER, in whole seconds: 0 resets the connection on close; none is the default.
  Result<void> set_linger(std::optional<std::chrono::seconds> linger) { return socket_.set_linger(linger); }
  /// IP_TTL, 1 to 255.
  Result<void> set_ttl(int hops);
  /// SO_SNDBUF and SO_RCVBUF, in bytes; the kernel doubles what it is given.
  Result<void> set_send_buffer_size(int bytes);
  Result<void> set_receive_buffer_size(int bytes);

  /// The two directions, borrowed: for join() of a reader and a writer in one task.
  std::pair<TcpReader, TcpWriter> split() & noexcept;
  /// The two directions, owned: for two tasks. The connection closes with the last half; dropping the writer ends its
  /// direction.
  std::pair<TcpReader, TcpWriter> into_split() && noexcept;

  const Socket& socket() const noexcept { return socket_; }

 private:
  reactor::IoSource& source() const noexcept { return socket_.source(); }
  Socket socket_;
};

/// The reading half of a stream.
class TcpReader {
 public:
  explicit TcpReader(Ref<reactor::IoSource> source) noexcept : source_(std::move(source)) {}
  /// As TcpStream::read().
  IoOperation<ReadCall> read(MutableBuffer buffer) noexcept { return {*source_, ReadCall(buffer)}; }
  IoOperation<VectoredReadCall> read_vectored(std::span<const iovec> parts) noexcept {
    return {*source_, VectoredReadCall(parts)};
  }

 private:
  Ref<reactor::IoSource> source_;
};

/// The writing half of a stream.
class TcpWriter {
 public:
  TcpWriter(Ref<reactor::IoSource> source, bool ends_direction) noexcept
      : source_(std::move(source)), ends_direction_(ends_direction) {}
  TcpWriter(TcpWriter&& other) noexcept = default;
  TcpWriter& operator=(TcpWriter&&) = delete;
  ~TcpWriter();

  /// As in TcpStream.
  IoOperation<WriteCall> write(ConstBuffer buffer) noexcept { return {*source_, WriteCall(buffer)}; }
  IoOperation<WriteAllCall> write_all(ConstBuffer buffer) noexcept { return {*source_, WriteAllCall(buffer)}; }
  IoOperation<VectoredWriteCall> write_vectored(std::span<const iovec> parts) noexcept {
    return {*source_, VectoredWriteCall(parts)};
  }
  /// Ends the direction.
  Result<void> shutdown();

 private:
  Ref<reactor::IoSource> source_;
  bool ends_direction_;
};

}  // namespace skua
