#include <skua/net/tcp_listener.hpp>
#include <skua/net/tcp_socket.hpp>

#include <netinet/tcp.h>

namespace skua {

Result<TcpListener> TcpListener::bind(const SocketAddress& address, const ListenOptions& options) {
  BindOptions how;
  how.reuse_address = true;
  how.reuse_port = options.reuse_port;
  how.only_v6 = options.only_v6;
  Result<TcpSocket> socket = TcpSocket::bind(address, how);
  if (!socket) return std::move(socket).error();
  Result<void> done;
  if (options.defer_accept.count() > 0) {
    done = socket->socket().set_option(IPPROTO_TCP, TCP_DEFER_ACCEPT, static_cast<int>(options.defer_accept.count()),
                                       "set TCP_DEFER_ACCEPT");
  }
  if (done && options.fastopen_queue > 0) {
    done = socket->socket().set_option(IPPROTO_TCP, TCP_FASTOPEN, options.fastopen_queue, "set TCP_FASTOPEN");
  }
  if (!done) return std::move(done).error();
  return (*std::move(socket)).listen(options.backlog);
}

}  // namespace skua
