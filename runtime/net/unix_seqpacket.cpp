#include <skua/net/unix_seqpacket.hpp>

namespace skua {

Task<Result<UnixSeqpacket>> UnixSeqpacket::connect(UnixAddress address) {
  Socket socket = co_await try_(connect_unix(SOCK_SEQPACKET, address));
  co_return UnixSeqpacket(std::move(socket));
}

Result<std::pair<UnixSeqpacket, UnixSeqpacket>> UnixSeqpacket::pair() {
  auto sockets = Socket::make_pair(SOCK_SEQPACKET);
  if (!sockets) return std::move(sockets).error();
  return std::pair(UnixSeqpacket(std::move(sockets->first)), UnixSeqpacket(std::move(sockets->second)));
}

}  // namespace skua
