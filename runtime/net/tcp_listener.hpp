// TcpListener: accepts TCP connections.
#pragma once

#include <skua/net/accept_operation.hpp>
#include <skua/net/tcp_options.hpp>
#include <skua/net/tcp_stream.hpp>

namespace skua {

struct ListenOptions {
  ListenOptions() = default;
  /// Connections that the kernel keeps until they are accepted; it caps the number (net.core.somaxconn).
  int backlog = 1024;
  /// SO_REUSEPORT: several listeners share the address, and the kernel spreads the connections.
  bool reuse_port = false;
  /// IPV6_V6ONLY: an IPv6 listener takes no IPv4 connections. None: what the system says (net.ipv6.bindv6only).
  std::optional<bool> only_v6;
  /// TCP_DEFER_ACCEPT: a connection is accepted when its first bytes have come, or after about so long; whole seconds.
  /// Zero: at once.
  std::chrono::seconds defer_accept{0};
  /// TCP_FASTOPEN: how many connections may bring data with their first packet and not be complete yet. Zero: none.
  int fastopen_queue = 0;
};

struct Accepted {
  Accepted(TcpStream accepted, SocketAddress from) noexcept : stream(std::move(accepted)), peer(from) {}
  TcpStream stream;
  SocketAddress peer;
};

struct AcceptCall {
  using Value = Accepted;
  static constexpr auto direction = reactor::Direction::read;
  static constexpr const char* name = "accept";
  AcceptCall() = default;
  bool has_nothing_to_do() const noexcept { return false; }
  ssize_t attempt(int fd) noexcept { return accept_next(fd, peer.pointer(), &peer.size); }
  bool drained(ssize_t) const noexcept { return false; }
  Result<Accepted> finish(ssize_t fd) const {
    return Accepted(TcpStream(Socket(static_cast<int>(fd))), SocketAddress::from_native(peer));
  }
  NativeAddress peer;
};

class TcpListener : public TcpOptions {
 public:
  /// Listens on `address`; port 0 lets the kernel choose, see local_address(). The address can be bound again at once
  /// after the program ended (SO_REUSEADDR). Errors: address_in_use, permission_denied, ..., with the address.
  static Result<TcpListener> bind(const SocketAddress& address, const ListenOptions& options = ListenOptions());
  /// Takes over a listening, non-blocking socket.
  explicit TcpListener(Socket socket) noexcept : TcpOptions(std::move(socket)) {}

  /// Ready with the next connection. Connections that ended before they were accepted are passed over; while there are
  /// too few descriptors or too little memory it waits and tries again, see AcceptOperation. Any number of tasks may
  /// accept. Cancel safety: no connection is lost.
  AcceptOperation<AcceptCall> accept() noexcept { return {source(), AcceptCall()}; }

 private:
  ReserveDescriptor reserve_;
};

}  // namespace skua
