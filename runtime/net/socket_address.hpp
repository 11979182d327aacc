// SocketAddress: an IPv4 or IPv6 address and a port.
#pragma once

#include <skua/core/result.hpp>

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace skua {

class SocketAddress {
 public:
  /// 0.0.0.0:0
  SocketAddress() noexcept;
  /// "127.0.0.1:8080", "[::1]:8080", "[fe80::1%2]:80". Names are not resolved. Error: invalid_argument.
  static Result<SocketAddress> parse(std::string_view text);
  static SocketAddress loopback(std::uint16_t port) noexcept;  // 127.0.0.1
  static SocketAddress any(std::uint16_t port) noexcept;       // 0.0.0.0
  /// From what a system call filled in. Requires AF_INET or AF_INET6.
  static SocketAddress from_native(const sockaddr_storage& native) noexcept;

  std::uint16_t port() const noexcept;
  int family() const noexcept { return native()->sa_family; }
  /// As parse() reads it.
  std::string to_string() const;

  const sockaddr* native() const noexcept { return reinterpret_cast<const sockaddr*>(&address_); }
  socklen_t native_size() const noexcept { return family() == AF_INET ? sizeof address_.v4 : sizeof address_.v6; }

  friend bool operator==(const SocketAddress& left, const SocketAddress& right) noexcept;

 private:
  union {
    sockaddr_in v4;
    sockaddr_in6 v6;
  } address_;
};

}  // namespace skua
