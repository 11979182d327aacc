#include <skua/net/socket_options.hpp>

#include <net/if.h>

#include <array>
#include <cstring>

namespace skua {

namespace {

Result<SocketAddress> ip_address(Result<NativeAddress> native) {
  if (!native) return std::move(native).error();
  return SocketAddress::from_native(*native);
}

}  // namespace

Result<void> SocketOptions::set_send_buffer_size(int bytes) {
  return socket_.set_option(SOL_SOCKET, SO_SNDBUF, bytes, "set SO_SNDBUF");
}
Result<int> SocketOptions::send_buffer_size() const { return socket_.option(SOL_SOCKET, SO_SNDBUF, "get SO_SNDBUF"); }
Result<void> SocketOptions::set_receive_buffer_size(int bytes) {
  return socket_.set_option(SOL_SOCKET, SO_RCVBUF, bytes, "set SO_RCVBUF");
}
Result<int> SocketOptions::receive_buffer_size() const {
  return socket_.option(SOL_SOCKET, SO_RCVBUF, "get SO_RCVBUF");
}

Result<void> SocketOptions::take_error() {
  Result<int> error = socket_.option(SOL_SOCKET, SO_ERROR, "get SO_ERROR");
  if (!error) return std::move(error).error();
  if (*error != 0) return system_error(*error, "pending error");
  return {};
}

Result<bool> SocketOptions::flag(int level, int option, const char* name) const {
  Result<int> value = socket_.option(level, option, name);
  if (!value) return std::move(value).error();
  return *value != 0;
}

Result<SocketAddress> IpOptions::local_address() const { return ip_address(socket().local_address()); }
Result<SocketAddress> IpOptions::peer_address() const { return ip_address(socket().peer_address()); }

bool IpOptions::is_v6() const {
  return socket().option(SOL_SOCKET, SO_DOMAIN, "get SO_DOMAIN").value_or(0) == AF_INET6;
}

Result<void> IpOptions::set_ttl(int hops) {
  return is_v6() ? socket().set_option(IPPROTO_IPV6, IPV6_UNICAST_HOPS, hops, "set IPV6_UNICAST_HOPS")
                 : socket().set_option(IPPROTO_IP, IP_TTL, hops, "set IP_TTL");
}
Result<int> IpOptions::ttl() const {
  return is_v6() ? socket().option(IPPROTO_IPV6, IPV6_UNICAST_HOPS, "get IPV6_UNICAST_HOPS")
                 : socket().option(IPPROTO_IP, IP_TTL, "get IP_TTL");
}
Result<void> IpOptions::set_tos(int tos) {
  return is_v6() ? socket().set_option(IPPROTO_IPV6, IPV6_TCLASS, tos, "set IPV6_TCLASS")
                 : socket().set_option(IPPROTO_IP, IP_TOS, tos, "set IP_TOS");
}
Result<int> IpOptions::tos() const {
  return is_v6() ? socket().option(IPPROTO_IPV6, IPV6_TCLASS, "get IPV6_TCLASS")
                 : socket().option(IPPROTO_IP, IP_TOS, "get IP_TOS");
}

Result<void> IpOptions::bind_device(std::string_view name) {
  return socket().set_option(SOL_SOCKET, SO_BINDTODEVICE, name.data(), static_cast<socklen_t>(name.size()),
                             "set SO_BINDTODEVICE");
}
Result<std::string> IpOptions::device() const {
  std::array<char, IFNAMSIZ> name{};
  Result<socklen_t> size =
      socket().option(SOL_SOCKET, SO_BINDTODEVICE, name.data(), name.size(), "get SO_BINDTODEVICE");
  if (!size) return std::move(size).error();
  return std::string(name.data(), strnlen(name.data(), *size));
}

Result<bool> IpOptions::reuse_address() const { return flag(SOL_SOCKET, SO_REUSEADDR, "get SO_REUSEADDR"); }
Result<bool> IpOptions::reuse_port() const { return flag(SOL_SOCKET, SO_REUSEPORT, "get SO_REUSEPORT"); }
Result<bool> IpOptions::only_v6() const { return flag(IPPROTO_IPV6, IPV6_V6ONLY, "get IPV6_V6ONLY"); }

Result<Socket> make_bound(int type, const SocketAddress& address, const BindOptions& options) {
  Result<Socket> socket = Socket::make(address.family(), type);
  if (!socket) return socket;
  Result<void> done;
  if (options.reuse_address) done = socket->set_option(SOL_SOCKET, SO_REUSEADDR, 1, "set SO_REUSEADDR");
  if (done && options.reuse_port) done = socket->set_option(SOL_SOCKET, SO_REUSEPORT, 1, "set SO_REUSEPORT");
  if (done && options.only_v6 && address.family() == AF_INET6) {
    done = socket->set_option(IPPROTO_IPV6, IPV6_V6ONLY, *options.only_v6, "set IPV6_V6ONLY");
  }
  if (done) done = socket->bind(address.native(), address.native_size(), address.to_string());
  if (!done) return std::move(done).error();
  return socket;
}

}  // namespace skua
