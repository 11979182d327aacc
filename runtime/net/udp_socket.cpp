#include <skua/core/kernel.hpp>
#include <skua/net/udp_socket.hpp>

#include <net/if.h>

#include <cerrno>
#include <cstring>

namespace skua {

Result<UdpSocket> UdpSocket::bind(const SocketAddress& address, const BindOptions& options) {
  Result<Socket> socket = make_bound(SOCK_DGRAM, address, options);
  if (!socket) return std::move(socket).error();
  return UdpSocket(*std::move(socket));
}

Result<void> UdpSocket::connect(const SocketAddress& peer) {
  const int error = kernel::connect(socket().native_handle(), peer.native(), peer.native_size());
  if (error < 0) return system_error(-error, "connect", peer.to_string());
  return {};
}

Result<void> UdpSocket::set_broadcast(bool on) {
  return socket().set_option(SOL_SOCKET, SO_BROADCAST, on, "set SO_BROADCAST");
}
Result<bool> UdpSocket::broadcast() const { return flag(SOL_SOCKET, SO_BROADCAST, "get SO_BROADCAST"); }

Result<void> UdpSocket::join_multicast(const SocketAddress& group, std::uint32_t interface) {
  return change_membership(MCAST_JOIN_GROUP, group, interface, "join multicast group");
}
Result<void> UdpSocket::leave_multicast(const SocketAddress& group, std::uint32_t interface) {
  return change_membership(MCAST_LEAVE_GROUP, group, interface, "leave multicast group");
}
Result<void> UdpSocket::change_membership(int option, const SocketAddress& group, std::uint32_t interface,
                                          const char* name) {
  group_req request{};
  request.gr_interface = interface;
  std::memcpy(&request.gr_group, group.native(), group.native_size());
  const int level = group.is_v6() ? IPPROTO_IPV6 : IPPROTO_IP;
  const int error = kernel::setsockopt(socket().native_handle(), level, option, &request, sizeof request);
  if (error < 0) return system_error(-error, name, group.ip());
  return {};
}

Result<void> UdpSocket::set_multicast_interface(std::uint32_t interface) {
  if (is_v6()) {
    return socket().set_option(IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<int>(interface), "set IPV6_MULTICAST_IF");
  }
  ip_mreqn request{};
  request.imr_ifindex = static_cast<int>(interface);
  return socket().set_option(IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request, "set IP_MULTICAST_IF");
}
Result<void> UdpSocket::set_multicast_loop(bool on) {
  return is_v6() ? socket().set_option(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, on, "set IPV6_MULTICAST_LOOP")
                 : socket().set_option(IPPROTO_IP, IP_MULTICAST_LOOP, on, "set IP_MULTICAST_LOOP");
}
Result<bool> UdpSocket::multicast_loop() const {
  return is_v6() ? flag(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, "get IPV6_MULTICAST_LOOP")
                 : flag(IPPROTO_IP, IP_MULTICAST_LOOP, "get IP_MULTICAST_LOOP");
}
Result<void> UdpSocket::set_multicast_ttl(int hops) {
  return is_v6() ? socket().set_option(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops, "set IPV6_MULTICAST_HOPS")
                 : socket().set_option(IPPROTO_IP, IP_MULTICAST_TTL, hops, "set IP_MULTICAST_TTL");
}
Result<int> UdpSocket::multicast_ttl() const {
  return is_v6() ? socket().option(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, "get IPV6_MULTICAST_HOPS")
                 : socket().option(IPPROTO_IP, IP_MULTICAST_TTL, "get IP_MULTICAST_TTL");
}

Result<std::uint32_t> interface_index(const std::string& name) {
  const unsigned index = ::if_nametoindex(name.c_str());
  if (index == 0) return last_system_error("if_nametoindex", name);
  return index;
}

}  // namespace skua
