// TcpSocket: a TCP socket that neither listens nor is connected yet: for options and a local address beforehand.
//
//   TcpSocket socket = co_await try_(TcpSocket::bind(SocketAddress::parse("10.0.0.7:0").value()));
//   co_await try_(socket.set_receive_buffer_size(4 << 20));    // before connect(): it decides the window's scale
//   TcpStream stream = co_await try_(std::move(socket).connect(address));
#pragma once

#include <skua/core/task.hpp>
#include <skua/net/tcp_listener.hpp>
#include <skua/net/tcp_stream.hpp>

namespace skua {

class TcpSocket : public TcpOptions {
 public:
  /// Not bound. `family` is AF_INET or AF_INET6.
  static Result<TcpSocket> make(int family);
  /// Bound to `address`: what a listener listens on, where a connection comes from. Port 0: any.
  static Result<TcpSocket> bind(const SocketAddress& address, const BindOptions& options = BindOptions());

  /// As TcpStream::connect().
  Task<Result<TcpStream>> connect(SocketAddress address) &&;
  /// As TcpListener::bind().
  Result<TcpListener> listen(int backlog = 1024) &&;

 private:
  explicit TcpSocket(Socket socket) noexcept : TcpOptions(std::move(socket)) {}
};

}  // namespace skua
