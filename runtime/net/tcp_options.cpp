#include <skua/net/tcp_options.hpp>

#include <netinet/tcp.h>

#include <algorithm>
#include <limits>

namespace skua {

namespace {

template <class Time>
int count_of(Time time) noexcept {
  return static_cast<int>(std::clamp<typename Time::rep>(time.count(), 0, std::numeric_limits<int>::max()));
}

}  // namespace

Result<void> TcpOptions::set_nodelay(bool on) {
  return socket().set_option(IPPROTO_TCP, TCP_NODELAY, on, "set TCP_NODELAY");
}
Result<bool> TcpOptions::nodelay() const { return flag(IPPROTO_TCP, TCP_NODELAY, "get TCP_NODELAY"); }

Result<void> TcpOptions::set_keepalive(bool on) {
  return socket().set_option(SOL_SOCKET, SO_KEEPALIVE, on, "set SO_KEEPALIVE");
}
Result<void> TcpOptions::set_keepalive(const KeepaliveOptions& options) {
  Result<void> done = socket().set_option(IPPROTO_TCP, TCP_KEEPIDLE, count_of(options.idle), "set TCP_KEEPIDLE");
  if (done) done = socket().set_option(IPPROTO_TCP, TCP_KEEPINTVL, count_of(options.interval), "set TCP_KEEPINTVL");
  if (done) done = socket().set_option(IPPROTO_TCP, TCP_KEEPCNT, options.count, "set TCP_KEEPCNT");
  return done ? set_keepalive(true) : done;
}
Result<bool> TcpOptions::keepalive() const { return flag(SOL_SOCKET, SO_KEEPALIVE, "get SO_KEEPALIVE"); }
Result<KeepaliveOptions> TcpOptions::keepalive_options() const {
  Result<int> idle = socket().option(IPPROTO_TCP, TCP_KEEPIDLE, "get TCP_KEEPIDLE");
  if (!idle) return std::move(idle).error();
  Result<int> interval = socket().option(IPPROTO_TCP, TCP_KEEPINTVL, "get TCP_KEEPINTVL");
  if (!interval) return std::move(interval).error();
  Result<int> count = socket().option(IPPROTO_TCP, TCP_KEEPCNT, "get TCP_KEEPCNT");
  if (!count) return std::move(count).error();
  KeepaliveOptions options;
  options.idle = std::chrono::seconds(*idle);
  options.interval = std::chrono::seconds(*interval);
  options.count = *count;
  return options;
}

Result<void> TcpOptions::set_linger(std::optional<std::chrono::seconds> linger) {
  constexpr std::chrono::seconds most{65535};  // beyond, kernels wrap
  const auto seconds = std::clamp(linger.value_or(std::chrono::seconds(0)), std::chrono::seconds(0), most);
  const ::linger value{.l_onoff = linger.has_value(), .l_linger = count_of(seconds)};
  return socket().set_option(SOL_SOCKET, SO_LINGER, &value, sizeof value, "set SO_LINGER");
}
Result<std::optional<std::chrono::seconds>> TcpOptions::linger() const {
  ::linger value{};
  auto size = socket().option(SOL_SOCKET, SO_LINGER, &value, sizeof value, "get SO_LINGER");
  if (!size) return std::move(size).error();
  std::optional<std::chrono::seconds> linger;
  if (value.l_onoff != 0) linger = std::chrono::seconds(value.l_linger);
  return linger;
}

Result<void> TcpOptions::set_quickack(bool on) {
  return socket().set_option(IPPROTO_TCP, TCP_QUICKACK, on, "set TCP_QUICKACK");
}
Result<bool> TcpOptions::quickack() const { return flag(IPPROTO_TCP, TCP_QUICKACK, "get TCP_QUICKACK"); }

Result<void> TcpOptions::set_user_timeout(std::chrono::milliseconds limit) {
  return socket().set_option(IPPROTO_TCP, TCP_USER_TIMEOUT, count_of(limit), "set TCP_USER_TIMEOUT");
}
Result<std::chrono::milliseconds> TcpOptions::user_timeout() const {
  Result<int> limit = socket().option(IPPROTO_TCP, TCP_USER_TIMEOUT, "get TCP_USER_TIMEOUT");
  if (!limit) return std::move(limit).error();
  return std::chrono::milliseconds(*limit);
}

}  // namespace skua
