// The system calls of datagram sockets: see IoOperation.
//
// A datagram may be empty: neither an empty buffer nor a count of zero means anything special. A datagram that is
// shorter than the buffer says nothing about the next one, so no count clears the readiness.
#pragma once

#include <skua/core/result.hpp>
#include <skua/io/buffer.hpp>
#include <skua/net/native_address.hpp>
#include <skua/reactor/io_source.hpp>

#include <sys/types.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

namespace skua {

/// What came with one datagram.
struct Received {
  Received() = default;
  Received(std::size_t in_buffer, std::size_t sent) noexcept : size(in_buffer), full_size(sent) {}
  /// The buffer was too small; the rest of the datagram is lost (by peek: not yet).
  bool is_truncated() const noexcept { return size < full_size; }

  std::size_t size = 0;       // bytes in the buffer
  std::size_t full_size = 0;  // bytes that the datagram has
};

template <class Address>
struct ReceivedFrom : Received {
  ReceivedFrom() = default;
  ReceivedFrom(Received received, Address from) noexcept : Received(received), peer(std::move(from)) {}
  Address peer;
};

struct DatagramReceive {
  static constexpr auto direction = reactor::Direction::read;
  bool has_nothing_to_do() const noexcept { return false; }
  bool drained(ssize_t) const noexcept { return false; }
};

struct DatagramSend {
  static constexpr auto direction = reactor::Direction::write;
  bool has_nothing_to_do() const noexcept { return false; }
  bool drained(ssize_t) const noexcept { return false; }
  static Result<void> finish(ssize_t) { return {}; }
  using Value = void;
};

/// recv(), with MSG_PEEK in `flags` or nothing.
template <int flags>
struct RecvCall : DatagramReceive {
  using Value = Received;
  static constexpr const char* name = flags == 0 ? "recv" : "peek";
  explicit RecvCall(MutableBuffer into) noexcept : buffer(into) {}
  ssize_t attempt(int fd) noexcept;
  Result<Received> finish(ssize_t count) const {
    const auto full = static_cast<std::size_t>(count);
    return Received(std::min(full, buffer.size()), full);
  }
  MutableBuffer buffer;
};

ssize_t receive_datagram(int fd, MutableBuffer buffer, int flags, NativeAddress& from) noexcept;

template <class Address, int flags>
struct RecvFromCall : DatagramReceive {
  using Value = ReceivedFrom<Address>;
  static constexpr const char* name = flags == 0 ? "recv_from" : "peek_from";
  explicit RecvFromCall(MutableBuffer into) noexcept : buffer(into) {}
  ssize_t attempt(int fd) noexcept { return receive_datagram(fd, buffer, flags, from); }
  Result<Value> finish(ssize_t count) const {
    const auto full = static_cast<std::size_t>(count);
    return Value(Received(std::min(full, buffer.size()), full), Address::from_native(from));
  }
  MutableBuffer buffer;
  NativeAddress from;
};

struct VectoredRecvCall : DatagramReceive {
  using Value = Received;
  static constexpr const char* name = "recv_vectored";
  explicit VectoredRecvCall(std::span<const iovec> into) noexcept : parts(into) {}
  ssize_t attempt(int fd) noexcept;
  Result<Received> finish(ssize_t count) const;
  std::span<const iovec> parts;
};

struct SendCall : DatagramSend {
  static constexpr const char* name = "send";
  explicit SendCall(ConstBuffer from) noexcept : buffer(from) {}
  ssize_t attempt(int fd) noexcept;
  ConstBuffer buffer;
};

struct VectoredSendCall : DatagramSend {
  static constexpr const char* name = "send_vectored";
  explicit VectoredSendCall(std::span<const iovec> from) noexcept : parts(from) {}
  ssize_t attempt(int fd) noexcept;
  std::span<const iovec> parts;
};

ssize_t send_datagram(int fd, ConstBuffer buffer, const sockaddr* to, socklen_t size) noexcept;

template <class Address>
struct SendToCall : DatagramSend {
  static constexpr const char* name = "send_to";
  SendToCall(ConstBuffer from, Address address) noexcept : buffer(from), to(std::move(address)) {}
  ssize_t attempt(int fd) noexcept { return send_datagram(fd, buffer, to.native(), to.native_size()); }
  ConstBuffer buffer;
  Address to;
};

}  // namespace skua
