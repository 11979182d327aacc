#include <skua/net/connect_attempt.hpp>
#include <skua/net/tcp_socket.hpp>

namespace skua {

namespace {

Task<Result<TcpStream>> connect_owned(Socket socket, SocketAddress address) {
  co_await try_(connect_socket(socket, address.native(), address.native_size(), address.to_string()));
  co_return TcpStream(std::move(socket));
}

}  // namespace

Result<TcpSocket> TcpSocket::make(int family) {
  Result<Socket> socket = Socket::make(family, SOCK_STREAM);
  if (!socket) return std::move(socket).error();
  return TcpSocket(*std::move(socket));
}

Result<TcpSocket> TcpSocket::bind(const SocketAddress& address, const BindOptions& options) {
  Result<Socket> socket = make_bound(SOCK_STREAM, address, options);
  if (!socket) return std::move(socket).error();
  return TcpSocket(*std::move(socket));
}

Task<Result<TcpStream>> TcpSocket::connect(SocketAddress address) && {
  return connect_owned(release_socket(), address);
}

Result<TcpListener> TcpSocket::listen(int backlog) && {
  const Result<SocketAddress> address = local_address();
  Result<void> listening = socket().listen(backlog, address ? address->to_string() : std::string());
  if (!listening) return std::move(listening).error();
  return TcpListener(release_socket());
}

}  // namespace skua
