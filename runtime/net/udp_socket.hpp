// UdpSocket: sends and receives UDP datagrams.
//
//   UdpSocket socket = co_await try_(UdpSocket::bind(SocketAddress::any(9000)));
//   std::array<char, 2048> buffer;
//   auto received = co_await try_(socket.recv_from(buffer));
//   co_await try_(socket.send_to({buffer.data(), received.size}, received.peer));
//
// Receiving and sending: DatagramOperations. Options: IpOptions.
#pragma once

#include <skua/net/datagram_operations.hpp>
#include <skua/net/socket_options.hpp>

#include <cstdint>
#include <string>

namespace skua {

class UdpSocket : public IpOptions, public DatagramOperations<UdpSocket, SocketAddress> {
 public:
  /// Bound to `address`; port 0 lets the kernel choose. For clients: SocketAddress::any(0). Errors: address_in_use,
  /// ..., with the address.
  static Result<UdpSocket> bind(const SocketAddress& address, const BindOptions& options = BindOptions());
  /// Takes over a non-blocking UDP socket.
  explicit UdpSocket(Socket socket) noexcept : IpOptions(std::move(socket)) {}

  /// From now on send() goes to `peer`, and datagrams of others are not received. Does not wait. May be called again.
  Result<void> connect(const SocketAddress& peer);
  /// As send(), to `peer`.
  IoOperation<SendToCall<SocketAddress>> send_to(ConstBuffer buffer, SocketAddress peer) noexcept {
    return {source(), SendToCall<SocketAddress>(buffer, peer)};
  }
  Result<void> try_send_to(ConstBuffer buffer, SocketAddress peer) {
    return try_now(source(), SendToCall<SocketAddress>(buffer, peer));
  }

  /// SO_BROADCAST: sending to a broadcast address is allowed.
  Result<void> set_broadcast(bool on);
  Result<bool> broadcast() const;

  /// Receives what is sent to the group, which is of the socket's family (its port is ignored), on one network device
  /// (by its index, see interface_index(); 0: the system's choice). Errors: no_such_device, address_in_use if it is a
  /// member already.
  Result<void> join_multicast(const SocketAddress& group, std::uint32_t interface = 0);
  Result<void> leave_multicast(const SocketAddress& group, std::uint32_t interface = 0);
  /// The device that multicast datagrams are sent by; 0: the system's choice.
  Result<void> set_multicast_interface(std::uint32_t interface);
  /// Whether members on this machine receive what this socket sends; on by default.
  Result<void> set_multicast_loop(bool on);
  Result<bool> multicast_loop() const;
  /// How many routers a multicast datagram may pass, 0 to 255; 1 by default.
  Result<void> set_multicast_ttl(int hops);
  Result<int> multicast_ttl() const;

 private:
  Result<void> change_membership(int option, const SocketAddress& group, std::uint32_t interface, const char* name);
};

/// The index of a network device, as "eth0". Error: no_such_device.
Result<std::uint32_t> interface_index(const std::string& name);

}  // namespace skua
