// SocketOptions: what every kind of socket can be asked and told. IpOptions: what UDP and TCP sockets can, besides.
//
// Setters take effect at once; getters ask the kernel. Errors say "set SO_..." or "get SO_...".
// Thread safety: any thread, also while operations are pending.
#pragma once

#include <skua/net/socket.hpp>
#include <skua/net/socket_address.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace skua {

class SocketOptions {
 public:
  /// SO_SNDBUF and SO_RCVBUF, in bytes; the kernel doubles what it is given, and tells the doubled size.
  Result<void> set_send_buffer_size(int bytes);
  Result<int> send_buffer_size() const;
  Result<void> set_receive_buffer_size(int bytes);
  Result<int> receive_buffer_size() const;
  /// SO_ERROR: the error that has come asynchronously, once; success if there is none. Operations report it by
  /// themselves.
  Result<void> take_error();

  const Socket& socket() const noexcept { return socket_; }

 protected:
  explicit SocketOptions(Socket socket) noexcept : socket_(std::move(socket)) {}
  SocketOptions(SocketOptions&&) noexcept = default;
  SocketOptions& operator=(SocketOptions&&) noexcept = default;
  ~SocketOptions() = default;

  reactor::IoSource& source() const noexcept { return socket_.source(); }
  Socket release_socket() noexcept { return std::move(socket_); }
  Result<bool> flag(int level, int option, const char* name) const;

 private:
  Socket socket_;
};

class IpOptions : public SocketOptions {
 public:
  Result<SocketAddress> local_address() const;
  /// Error: not_connected.
  Result<SocketAddress> peer_address() const;

  /// IP_TTL or IPV6_UNICAST_HOPS: how many routers a packet may pass, 1 to 255.
  Result<void> set_ttl(int hops);
  Result<int> ttl() const;
  /// IP_TOS or IPV6_TCLASS: the type-of-service byte of the packets.
  Result<void> set_tos(int tos);
  Result<int> tos() const;
  /// SO_BINDTODEVICE: only this network device's packets; empty for every device's. May need a privilege.
  Result<void> bind_device(std::string_view name);
  Result<std::string> device() const;
  /// SO_REUSEADDR and SO_REUSEPORT say how the address may be shared; of use before bind().
  Result<bool> reuse_address() const;
  Result<bool> reuse_port() const;
  /// IPV6_V6ONLY: an IPv6 socket is not reached by IPv4.
  Result<bool> only_v6() const;

 protected:
  using SocketOptions::SocketOptions;
  bool is_v6() const;
};

/// How an IP socket is bound.
struct BindOptions {
  BindOptions() = default;
  /// SO_REUSEADDR: TCP: bind although connections of an earlier listener linger; UDP: share with others that do so.
  bool reuse_address = false;
  /// SO_REUSEPORT: several sockets share the address, and the kernel spreads what comes among them.
  bool reuse_port = false;
  /// IPV6_V6ONLY: an IPv6 socket is not reached by IPv4. None: what the system says (net.ipv6.bindv6only).
  std::optional<bool> only_v6;
};

/// A socket for addresses of `address`'s family with these options, bound to it.
Result<Socket> make_bound(int type, const SocketAddress& address, const BindOptions& options);

}  // namespace skua
