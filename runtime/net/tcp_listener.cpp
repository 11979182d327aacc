#include <skua/core/kernel.hpp>
#include <skua/net/tcp_listener.hpp>

namespace skua {

namespace {

// The connection ended in the queue, or the network failed under it (accept(2): "treat like EAGAIN by retrying").
bool is_the_connections_fault(int error) noexcept {
  switch (error) {
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH: return true;
    default: return false;
  }
}

}  // namespace

ssize_t AcceptCall::attempt(int fd) noexcept {
  for (;;) {
    socklen_t size = sizeof peer;
    const int accepted = kernel::accept4(fd, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0 || !is_the_connections_fault(-accepted)) return accepted;
  }
}

Result<Accepted> AcceptCall::finish(ssize_t fd) const {
  return Accepted(TcpStream(Socket(static_cast<int>(fd))), SocketAddress::from_native(peer));
}

Result<TcpListener> TcpListener::bind(const SocketAddress& address, const ListenOptions& options) {
  Result<Socket> socket = Socket::make_tcp(address.family());
  if (!socket) return std::move(socket).error();
  const int fd = socket->native_handle();
  if (auto set = socket->set_option(SOL_SOCKET, SO_REUSEADDR, 1, "set SO_REUSEADDR"); !set)
    return std::move(set).error();
  if (options.reuse_port) {
    if (auto set = socket->set_option(SOL_SOCKET, SO_REUSEPORT, 1, "set SO_REUSEPORT"); !set)
      return std::move(set).error();
  }
  const auto failed = [&](int error, const char* operation) {
    return system_error(-error, operation, address.to_string());
  };
  if (const int error = kernel::bind(fd, address.native(), address.native_size()); error < 0)
    return failed(error, "bind");
  if (const int error = kernel::listen(fd, options.backlog); error < 0) return failed(error, "listen");
  return TcpListener(*std::move(socket));
}

}  // namespace skua
