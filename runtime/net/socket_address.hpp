// SocketAddress: an IPv4 or IPv6 address and a port.
#pragma once

#include <skua/core/result.hpp>
#include <skua/net/native_address.hpp>

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
  /// The address alone, "127.0.0.1", "::1" or "fe80::1%2", with this port. Error: invalid_argument.
  static Result<SocketAddress> from_ip(std::string_view ip, std::uint16_t port);
  static SocketAddress loopback(std::uint16_t port) noexcept;     // 127.0.0.1
  static SocketAddress any(std::uint16_t port) noexcept;          // 0.0.0.0
  static SocketAddress loopback_v6(std::uint16_t port) noexcept;  // [::1]
  static SocketAddress any_v6(std::uint16_t port) noexcept;       // [::]
  /// From what a system call filled in. Requires AF_INET or AF_INET6.
  static SocketAddress from_native(const NativeAddress& native) noexcept;

  std::uint16_t port() const noexcept;
  SocketAddress with_port(std::uint16_t port) const noexcept;
  bool is_v6() const noexcept { return family() == AF_INET6; }
  bool is_loopback() const noexcept;     // 127.0.0.0/8, ::1
  bool is_multicast() const noexcept;    // 224.0.0.0/4, ff00::/8
  bool is_unspecified() const noexcept;  // 0.0.0.0, ::
  /// The address without the port: "127.0.0.1", "::1".
  std::string ip() const;
  int family() const noexcept { return native()->sa_family; }
  /// As parse() reads it.
  std::string to_string() const;

  const sockaddr* native() const noexcept { return reinterpret_cast<const sockaddr*>(&address_); }
  socklen_t native_size() const noexcept { return family() == AF_INET ? sizeof address_.v4 : sizeof address_.v6; }

  /// Address, port and, for IPv6, the scope.
  friend bool operator==(const SocketAddress& left, const SocketAddress& right) noexcept;

 private:
  union {
    sockaddr_in v4;
    sockaddr_in6 v6;
  } address_;
};

}  // namespace skua
