// UDP: connected sockets and others.
#include "datagram_runs.hpp"
#include "tasks.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <system_error>
#include <vector>

namespace skua::tests {

namespace {

struct UdpLink {
  static Task<Linked<UdpSocket>> make() {
    Descriptor peer(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const SocketAddress any = SocketAddress::loopback(0);
    NativeAddress name;
    UdpSocket socket = UdpSocket::bind(any).value();
    const SocketAddress address = socket.local_address().value();
    if (::bind(peer.get(), any.native(), any.native_size()) != 0 ||
        ::getsockname(peer.get(), name.pointer(), &name.size) != 0 ||
        ::connect(peer.get(), address.native(), address.native_size()) != 0) {
      throw std::system_error(errno, std::generic_category(), "a UDP peer");
    }
    socket.connect(SocketAddress::from_native(name)).value();
    co_return Linked<UdpSocket>(std::move(socket), std::move(peer));
  }
};

/// Not connected: each datagram names the peer.
class Correspondent {
 public:
  Correspondent(UdpSocket socket, const SocketAddress& to) noexcept : socket_(std::move(socket)), to_(to) {}
  const Socket& socket() const noexcept { return socket_.socket(); }
  auto send(const PieceBuffer& bytes) { return socket_.send_to(bytes, to_); }

 private:
  UdpSocket socket_;
  SocketAddress to_;
};

struct CorrespondentLink {
  static Task<Linked<Correspondent>> make() {
    auto link = co_await UdpLink::make();
    const SocketAddress to = link.stream.peer_address().value();
    UdpSocket socket = UdpSocket::bind(SocketAddress::loopback(0)).value();
    const SocketAddress from = socket.local_address().value();
    if (::connect(link.peer.get(), from.native(), from.native_size()) != 0) {
      throw std::system_error(errno, std::generic_category(), "a UDP peer");
    }
    co_return Linked<Correspondent>(Correspondent(std::move(socket), to), std::move(link.peer));
  }
};

Task<> binds_and_connects(Bench& bench) {
  const UdpSocket peer = UdpSocket::bind(SocketAddress::loopback(0)).value();
  const SocketAddress address = peer.local_address().value();
  bench.start_faults();
  auto body = [&]() -> Task<bool> {
    Result<UdpSocket> socket = UdpSocket::bind(SocketAddress::loopback(0));
    if (!bench.note(socket)) co_return false;
    while (!bench.note(socket->connect(address)) && !bench.gives_up()) {
    }
    bench.expect(socket->peer_address().value() == address, "the peer is another one");
    co_return true;
  };
  co_await eight_times(bench, body);
}

}  // namespace

std::vector<OperationUnderTest> udp_operations() {
  const auto does_not_wait = [](const char* name, Call call, const char* reported_as, const char* subject) {
    return OperationUnderTest{.name = name,
                              .call = call,
                              .reported_as = reported_as,
                              .run = &binds_and_connects,
                              .retried = {},
                              .impossible = {EINTR},
                              .subject = subject};
  };
  const OperationUnderTest recv = {
      .name = "udp_recv", .call = Call::recv, .reported_as = "recv", .run = &receives<UdpLink, Recv>};
  return {
      does_not_wait("udp_socket", Call::socket, "socket", ""),
      does_not_wait("udp_bind", Call::bind, "bind", "127.0.0.1:0"),
      does_not_wait("udp_connect", Call::connect, "connect", "127.0.0.1:"),
      recv,
      watch_of(recv),
      {.name = "udp_recv_from",
       .call = Call::recvfrom,
       .reported_as = "recv_from",
       .run = &receives<UdpLink, RecvFrom>},
      {.name = "udp_recv_vectored",
       .call = Call::recvmsg,
       .reported_as = "recv_vectored",
       .run = &receives<UdpLink, RecvTwoParts>},
      {.name = "udp_send", .call = Call::send, .reported_as = "send", .run = &sends<UdpLink, Send>},
      {.name = "udp_send_vectored",
       .call = Call::sendmsg,
       .reported_as = "send_vectored",
       .run = &sends<UdpLink, SendTwoParts>},
      {.name = "udp_send_to", .call = Call::sendto, .reported_as = "send_to", .run = &sends<CorrespondentLink, Send>},
  };
}

}  // namespace skua::tests
