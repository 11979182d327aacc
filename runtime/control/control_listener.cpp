#include <skua/control/control_listener.hpp>
#include <skua/core/kernel.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace skua {

namespace {

constexpr int connections_that_wait = 16;
constexpr std::uint32_t root = 0;

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);  // ControlAddress::parse() has seen to it that it fits
  return address;
}

template <class Address>
const sockaddr* generic(const Address& address) noexcept {
  return reinterpret_cast<const sockaddr*>(&address);
}

Result<OwnedFd> stream_socket(int domain) {
  OwnedFd made(kernel::socket(domain, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made) return system_error(-made.get(), "socket");
  return made;
}

// Whether somebody listens at `path`. A socket that nobody listens on any more refuses.
Result<bool> is_answered(const std::string& path) {
  auto probe = stream_socket(AF_UNIX);
  if (!probe) return std::move(probe).error();
  const sockaddr_un address = unix_address(path);
  const int result = kernel::connect(probe->get(), generic(address), sizeof address);
  if (result == -ECONNREFUSED || result == -ENOENT) return false;
  if (result >= 0 || result == -EAGAIN) return true;  // EAGAIN: so many wait already that there is no room
  return system_error(-result, "connect", path);
}

// Removes the socket of somebody who has gone without doing so.
Result<void> remove_stale(const std::string& path) {
  struct stat status{};
  const int found = kernel::lstat(path.c_str(), &status);
  if (found == -ENOENT) return {};
  if (found < 0) return system_error(-found, "lstat", path);
  if (!S_ISSOCK(status.st_mode)) return Error(std::errc::not_a_socket, "listen", path);
  auto answered = is_answered(path);
  if (!answered) return std::move(answered).error();
  if (*answered) return Error(std::errc::address_in_use, "listen", path);
  if (const int error = kernel::unlink(path.c_str()); error < 0 && error != -ENOENT) {
    return system_error(-error, "unlink", path);
  }
  return {};
}

template <class Address>
Result<void> bind_and_listen(int fd, const Address& address, const std::string& named) {
  if (const int error = kernel::bind(fd, generic(address), sizeof address); error < 0) {
    return system_error(-error, "bind", named);
  }
  if (const int error = kernel::listen(fd, connections_that_wait); error < 0) {
    return system_error(-error, "listen", named);
  }
  return {};
}

Result<std::uint16_t> port_of(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (const int error = kernel::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size); error < 0) {
    return system_error(-error, "getsockname");
  }
  if (bound.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(bound).sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in&>(bound).sin_port);
}

}  // namespace

ControlListener::ControlListener(OwnedFd socket, ControlAddress address, File file) noexcept
    : socket_(std::move(socket)), address_(std::move(address)), file_(file) {}

ControlListener::ControlListener(ControlListener&& other) noexcept
    : socket_(std::move(other.socket_)),
      address_(std::move(other.address_)),
      file_(std::exchange(other.file_, File{})) {}

ControlListener::~ControlListener() {
  if (file_ == File{}) return;
  const auto there = file_at(address_.path);
  if (there && *there == file_) kernel::unlink(address_.path.c_str());
}

Result<ControlListener> ControlListener::listen(ControlAddress address) {
  if (address.kind == ControlAddress::Kind::unix_socket) return listen_on_path(std::move(address));
  return listen_on_loopback(std::move(address));
}

Result<ControlListener> ControlListener::listen_on_path(ControlAddress address) {
  if (auto removed = remove_stale(address.path); !removed) return std::move(removed).error();
  auto socket = stream_socket(AF_UNIX);
  if (!socket) return std::move(socket).error();
  // Before bind(), which gives the file the mode of the socket: there is no moment in which it is open to others.
  if (const int error = kernel::fchmod(socket->get(), 0600); error < 0) return system_error(-error, "fchmod");
  if (auto bound = bind_and_listen(socket->get(), unix_address(address.path), address.path); !bound) {
    return std::move(bound).error();
  }
  auto file = file_at(address.path);
  if (!file) return std::move(file).error();
  return ControlListener(*std::move(socket), std::move(address), *file);
}

Result<ControlListener> ControlListener::listen_on_loopback(ControlAddress address) {
  const bool is_4 = address.kind == ControlAddress::Kind::loopback_4;
  auto socket = stream_socket(is_4 ? AF_INET : AF_INET6);
  if (!socket) return std::move(socket).error();
  const int yes = 1;
  kernel::setsockopt(socket->get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);  // refused: then after a minute
  sockaddr_in address_4{};
  address_4.sin_family = AF_INET;
  address_4.sin_port = htons(address.port);
  address_4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in6 address_6{};
  address_6.sin6_family = AF_INET6;
  address_6.sin6_port = htons(address.port);
  address_6.sin6_addr = in6addr_loopback;
  const std::string named = address.to_string();
  auto bound =
      is_4 ? bind_and_listen(socket->get(), address_4, named) : bind_and_listen(socket->get(), address_6, named);
  if (!bound) return std::move(bound).error();
  auto port = port_of(socket->get());
  if (!port) return std::move(port).error();
  address.port = *port;
  return ControlListener(*std::move(socket), std::move(address), File{});
}

Result<ControlListener::File> ControlListener::file_at(const std::string& path) {
  struct stat status{};
  if (const int error = kernel::lstat(path.c_str(), &status); error < 0) return system_error(-error, "lstat", path);
  return File{status.st_dev, status.st_ino};
}

Result<OwnedFd> ControlListener::accept() {
  OwnedFd peer(kernel::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!peer) return system_error(-peer.get(), "accept");
  if (address_.kind != ControlAddress::Kind::unix_socket) return peer;
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (const int error = kernel::getsockopt(peer.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size); error < 0) {
    return system_error(-error, "getsockopt");
  }
  const bool is_allowed = credentials.uid == root || credentials.uid == kernel::effective_user();
  if (!is_allowed) return Error(std::errc::permission_denied, "accept", "user " + std::to_string(credentials.uid));
  return peer;
}

}  // namespace skua
