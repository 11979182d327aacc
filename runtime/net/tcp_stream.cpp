#include <skua/net/tcp_socket.hpp>
#include <skua/net/tcp_stream.hpp>

namespace skua {

Task<Result<TcpStream>> TcpStream::connect(SocketAddress address) {
  TcpSocket socket = co_await try_(TcpSocket::make(address.family()));
  co_return co_await std::move(socket).connect(address);
}

}  // namespace skua
