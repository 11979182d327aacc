#include <skua/net/unix_stream.hpp>

namespace skua {

Task<Result<UnixStream>> UnixStream::connect(UnixAddress address) {
  Socket socket = co_await try_(connect_unix(SOCK_STREAM, address));
  co_return UnixStream(std::move(socket));
}

Result<std::pair<UnixStream, UnixStream>> UnixStream::pair() {
  auto sockets = Socket::make_pair(SOCK_STREAM);
  if (!sockets) return std::move(sockets).error();
  return std::pair(UnixStream(std::move(sockets->first)), UnixStream(std::move(sockets->second)));
}

}  // namespace skua
