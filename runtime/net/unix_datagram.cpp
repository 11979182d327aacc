#include <skua/core/budget.hpp>
#include <skua/core/kernel.hpp>
#include <skua/net/unix_datagram.hpp>

#include <algorithm>

namespace skua {

Poll<Result<void>> UnixSendTo::poll(Context& context) {
  for (;;) {
    if (pause_ && pause_->poll_without_budget(context).is_pending()) return pending;
    pause_.reset();
    if (!budget::take(context)) return pending;
    Result<void> sent = try_now(source_, call_);
    if (sent || !(sent.error() == std::errc::operation_would_block)) return sent;
    budget::give_back();
    pause_.emplace(saturating_add(Clock::now(), delay_));
    delay_ = std::min<Duration>(2 * delay_, std::chrono::milliseconds(64));
  }
}

Result<UnixDatagram> UnixDatagram::bind(const UnixAddress& address, const UnixBindOptions& options) {
  Result<BoundUnixSocket> bound = bind_unix(SOCK_DGRAM, address, options);
  if (!bound) return std::move(bound).error();
  return UnixDatagram(*std::move(bound));
}

Result<UnixDatagram> UnixDatagram::unbound() {
  Result<Socket> socket = Socket::make(AF_UNIX, SOCK_DGRAM);
  if (!socket) return std::move(socket).error();
  return UnixDatagram(*std::move(socket));
}

Result<std::pair<UnixDatagram, UnixDatagram>> UnixDatagram::pair() {
  auto sockets = Socket::make_pair(SOCK_DGRAM);
  if (!sockets) return std::move(sockets).error();
  return std::pair(UnixDatagram(std::move(sockets->first)), UnixDatagram(std::move(sockets->second)));
}

Result<void> UnixDatagram::connect(const UnixAddress& peer) {
  const int error = kernel::connect(socket().native_handle(), peer.native(), peer.native_size());
  if (error < 0) return system_error(-error, "connect", peer.to_string());
  return {};
}

}  // namespace skua
