#include <skua/core/kernel.hpp>
#include <skua/net/socket.hpp>

#include <algorithm>

namespace skua {

namespace {

template <class Query>
Result<SocketAddress> address_by(Query query, int fd, const char* name) {
  sockaddr_storage native{};
  socklen_t size = sizeof native;
  if (const int error = query(fd, reinterpret_cast<sockaddr*>(&native), &size); error < 0)
    return system_error(-error, name);
  return SocketAddress::from_native(native);
}

}  // namespace

Result<Socket> Socket::make_tcp(int family) {
  const int fd = kernel::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return system_error(-fd, "socket");
  return Socket(fd);
}

Result<SocketAddress> Socket::local_address() const {
  return address_by(&kernel::getsockname, native_handle(), "getsockname");
}
Result<SocketAddress> Socket::peer_address() const {
  return address_by(&kernel::getpeername, native_handle(), "getpeername");
}

Result<void> Socket::set_option(int level, int option, int value, const char* name) const {
  const int error = kernel::setsockopt(native_handle(), level, option, &value, sizeof value);
  if (error < 0) return system_error(-error, name);
  return {};
}

Result<int> Socket::option(int level, int option, const char* name) const {
  int value = 0;
  socklen_t size = sizeof value;
  if (const int error = kernel::getsockopt(native_handle(), level, option, &value, &size); error < 0) {
    return system_error(-error, name);
  }
  return value;
}

Result<void> Socket::set_linger(std::optional<std::chrono::seconds> linger) const {
  constexpr std::chrono::seconds most{65535};  // beyond, kernels wrap
  const auto seconds = std::clamp(linger.value_or(std::chrono::seconds(0)), std::chrono::seconds(0), most);
  const ::linger value{.l_onoff = linger.has_value(), .l_linger = static_cast<int>(seconds.count())};
  const int error = kernel::setsockopt(native_handle(), SOL_SOCKET, SO_LINGER, &value, sizeof value);
  if (error < 0) return system_error(-error, "set SO_LINGER");
  return {};
}

}  // namespace skua
