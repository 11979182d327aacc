// TcpListener: accepts TCP connections.
#pragma once

#include <skua/io/io_operation.hpp>
#include <skua/net/socket.hpp>
#include <skua/net/tcp_stream.hpp>

namespace skua {

struct ListenOptions {
  ListenOptions() = default;
  /// Connections that the kernel keeps until they are accepted; it caps the number (net.core.somaxconn).
  int backlog = 1024;
  /// SO_REUSEPORT: several listeners share the address, and the kernel spreads the connections.
  bool reuse_port = false;
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
  ssize_t attempt(int fd) noexcept;
  bool drained(ssize_t) const noexcept { return false; }
  Result<Accepted> finish(ssize_t fd) const;
  sockaddr_storage peer{};
};

class TcpListener {
 public:
  /// Listens on `address`; port 0 lets the kernel choose, see local_address(). The address can be bound again at once
  /// after the program ended (SO_REUSEADDR). Errors: address_in_use, permission_denied, ..., with the address.
  static Result<TcpListener> bind(const SocketAddress& address, const ListenOptions& options = ListenOptions());

  /// Ready with the next connection. Connections that ended before they were accepted are passed over. Errors:
  /// too_many_files_open and its like (wait a little before the next try: the connection stays in the queue). Any
  /// number of tasks may accept. Cancel safety: no connection is lost.
  IoOperation<AcceptCall> accept() noexcept { return {socket_.source(), AcceptCall()}; }

  Result<SocketAddress> local_address() const { return socket_.local_address(); }
  const Socket& socket() const noexcept { return socket_; }

 private:
  explicit TcpListener(Socket socket) noexcept : socket_(std::move(socket)) {}
  Socket socket_;
};

}  // namespace skua
