#include <skua/core/kernel.hpp>
#include <skua/net/socket.hpp>

namespace skua {

namespace {

template <class Query>
Result<NativeAddress> address_by(Query query, int fd, const char* name) {
  NativeAddress address;
  if (const int error = query(fd, address.pointer(), &address.size); error < 0) return system_error(-error, name);
  return address;
}

}  // namespace

Result<Socket> Socket::make(int family, int type, int protocol) {
  const int fd = kernel::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (fd < 0) return system_error(-fd, "socket");
  return Socket(fd);
}

Result<std::pair<Socket, Socket>> Socket::make_pair(int type) {
  int fds[2];
  const int error = kernel::socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);
  if (error < 0) return system_error(-error, "socketpair");
  return std::pair(Socket(fds[0]), Socket(fds[1]));
}

Result<void> Socket::bind(const sockaddr* address, socklen_t size, std::string name) const {
  const int error = kernel::bind(native_handle(), address, size);
  if (error < 0) return system_error(-error, "bind", std::move(name));
  return {};
}

Result<void> Socket::listen(int backlog, std::string name) const {
  const int error = kernel::listen(native_handle(), backlog);
  if (error < 0) return system_error(-error, "listen", std::move(name));
  return {};
}

Result<NativeAddress> Socket::local_address() const {
  return address_by(&kernel::getsockname, native_handle(), "getsockname");
}
Result<NativeAddress> Socket::peer_address() const {
  return address_by(&kernel::getpeername, native_handle(), "getpeername");
}

Result<void> Socket::set_option(int level, int option, int value, const char* name) const {
  return set_option(level, option, &value, sizeof value, name);
}
Result<void> Socket::set_option(int level, int option, const void* value, socklen_t size, const char* name) const {
  const int error = kernel::setsockopt(native_handle(), level, option, value, size);
  if (error < 0) return system_error(-error, name);
  return {};
}

Result<int> Socket::option(int level, int option, const char* name) const {
  int value = 0;
  auto size = this->option(level, option, &value, sizeof value, name);
  if (!size) return std::move(size).error();
  return value;
}
Result<socklen_t> Socket::option(int level, int option, void* value, socklen_t size, const char* name) const {
  const int error = kernel::getsockopt(native_handle(), level, option, value, &size);
  if (error < 0) return system_error(-error, name);
  return size;
}

}  // namespace skua
