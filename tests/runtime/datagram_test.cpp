// What holds for every datagram socket, over UDP and over Unix sockets; then what is UDP's and Unix's own.
#include "transports.hpp"

#include <sys/un.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

class udp : public EachRuntime {};
class unix_datagram : public EachRuntime {};
INSTANTIATE_TEST_SUITE_P(on, udp, each_setup, [](const auto& parameter) { return name_of(parameter.param); });
INSTANTIATE_TEST_SUITE_P(on, unix_datagram, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

struct Udp {
  using Socket = UdpSocket;
  static UdpSocket bind() { return UdpSocket::bind(SocketAddress::loopback(0)).value(); }
};
struct Local {
  using Socket = UnixDatagram;
  static UnixDatagram bind() { return UnixDatagram::bind(fresh_unix_address()).value(); }
};

// The body of a task, run over both transports.
#define DATAGRAM_TEST(name)                           \
  template <class Transport>                          \
  Task<> name();                                      \
  TEST_P(udp, name) { run(name<Udp>()); }             \
  TEST_P(unix_datagram, name) { run(name<Local>()); } \
  template <class Transport>                          \
  Task<> name()

template <std::size_t size>
std::string text_of(const std::array<char, size>& buffer, const Received& received) {
  return std::string(buffer.data(), received.size);
}

DATAGRAM_TEST(datagrams_arrive_whole_with_their_sender) {
  auto a = Transport::bind();
  auto b = Transport::bind();
  const auto address_of_a = a.local_address().value();
  const auto address_of_b = b.local_address().value();
  std::array<char, 64> buffer{};
  for (std::size_t i = 1; i <= 50; ++i) {
    const std::string sent(i, static_cast<char>('a' + i % 26));
    value_of(co_await a.send_to(sent, address_of_b));
    const auto received = value_of(co_await b.recv_from(buffer));
    EXPECT_EQ(text_of(buffer, received), sent);
    EXPECT_FALSE(received.is_truncated());
    EXPECT_EQ(received.peer, address_of_a);
    value_of(co_await b.send_to("back", received.peer));
    EXPECT_EQ(value_of(co_await a.recv(buffer)).size, 4u);
  }
}

DATAGRAM_TEST(connected_sockets_need_no_address) {
  auto a = Transport::bind();
  auto b = Transport::bind();
  auto stranger = Transport::bind();
  a.connect(b.local_address().value()).value();
  b.connect(a.local_address().value()).value();
  EXPECT_EQ(a.peer_address().value(), b.local_address().value());
  // UDP drops it, a Unix socket refuses it: in no case it is received.
  static_cast<void>(stranger.try_send_to("stranger", b.local_address().value()));
  value_of(co_await a.send("one"));
  std::string first = "tw", second = "o";
  const std::array<iovec, 2> parts{iovec{first.data(), 2}, iovec{second.data(), 1}};
  value_of(co_await a.send_vectored(parts));
  std::array<char, 64> buffer{};
  EXPECT_EQ(text_of(buffer, value_of(co_await b.recv(buffer))), "one");
  std::array<char, 2> head{};
  std::array<char, 9> tail{};
  const std::array<iovec, 2> into{iovec{head.data(), 2}, iovec{tail.data(), 9}};
  const Received two = value_of(co_await b.recv_vectored(into));
  EXPECT_EQ(two.size, 3u);
  EXPECT_EQ(std::string(head.data(), 2) + tail[0], "two");
}

DATAGRAM_TEST(a_datagram_that_does_not_fit_is_reported) {
  auto a = Transport::bind();
  auto b = Transport::bind();
  const auto to = b.local_address().value();
  std::array<char, 4> small{};
  for (int i = 0; i < 4; ++i) value_of(co_await a.send_to("0123456789", to));
  value_of(co_await a.send_to("next", to));
  const auto received = value_of(co_await b.recv_from(small));
  EXPECT_TRUE(received.is_truncated());
  EXPECT_EQ(received.size, 4u);
  EXPECT_EQ(received.full_size, 10u);
  EXPECT_EQ(text_of(small, received), "0123");
  EXPECT_EQ(value_of(co_await b.recv(small)).full_size, 10u);
  const std::array<iovec, 1> parts{iovec{small.data(), small.size()}};
  const Received vectored = value_of(co_await b.recv_vectored(parts));
  EXPECT_EQ(vectored.size, 4u);
  EXPECT_EQ(vectored.full_size, 10u);
  const Received none = value_of(co_await b.recv(MutableBuffer(nullptr, 0)));
  EXPECT_EQ(none.size, 0u);
  EXPECT_EQ(none.full_size, 10u) << "an empty buffer takes a datagram too";
  EXPECT_EQ(text_of(small, value_of(co_await b.recv(small))), "next");
}

DATAGRAM_TEST(empty_datagrams_are_datagrams) {
  auto a = Transport::bind();
  auto b = Transport::bind();
  a.connect(b.local_address().value()).value();
  std::array<char, 8> buffer{};
  auto waits = co_await select(b.recv(buffer), sleep(1ms));
  EXPECT_EQ(waits.index(), 1u);
  auto waits_empty = co_await select(b.recv(MutableBuffer(nullptr, 0)), sleep(1ms));
  EXPECT_EQ(waits_empty.index(), 1u) << "an empty buffer waits for a datagram too";
  value_of(co_await a.send(ConstBuffer(nullptr, 0)));
  value_of(co_await a.send_to(ConstBuffer(nullptr, 0), b.local_address().value()));
  value_of(co_await a.send("after"));
  EXPECT_EQ(value_of(co_await b.recv(buffer)).full_size, 0u);
  EXPECT_EQ(value_of(co_await b.recv_from(MutableBuffer(nullptr, 0))).full_size, 0u);
  EXPECT_EQ(text_of(buffer, value_of(co_await b.recv(buffer))), "after");
}

// A count below the buffer's size must not be taken for the last one.
DATAGRAM_TEST(short_datagrams_leave_the_next_ones_readable) {
  auto a = Transport::bind();
  auto b = Transport::bind();
  a.connect(b.local_address().value()).value();
  std::array<char, 64> buffer{};
  auto waits = co_await select(b.recv(buffer), sleep(1ms));  // the driver knows the socket
  EXPECT_EQ(waits.index(), 1u);
  for (int i = 0; i < 5; ++i) value_of(co_await a.send("short"));
  co_await sleep(1ms);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(value_of(co_await timeout(10s, b.recv(buffer))).size, 5u);
}

DATAGRAM_TEST(peek_leaves_the_datagram) {
  auto a = Transport::bind();
  auto b = Transport::bind();
  const auto to = b.local_address().value();
  value_of(co_await a.send_to("0123456789", to));
  std::array<char, 4> small{};
  const auto peeked = value_of(co_await b.peek_from(small));
  EXPECT_EQ(peeked.full_size, 10u);
  EXPECT_EQ(peeked.peer, a.local_address().value());
  EXPECT_TRUE(value_of(co_await b.peek(small)).is_truncated());
  std::array<char, 16> buffer{};
  EXPECT_EQ(text_of(buffer, value_of(co_await b.recv(buffer))), "0123456789");
}

DATAGRAM_TEST(tries_do_not_wait) {
  auto a = Transport::bind();
  auto b = Transport::bind();
  const auto to = b.local_address().value();
  std::array<char, 16> buffer{};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(error_of(b.try_recv(buffer)), std::errc::operation_would_block);
    EXPECT_EQ(error_of(b.try_recv_from(buffer)), std::errc::operation_would_block);
    value_of(co_await a.writable());
    value_of(a.try_send_to("abc", to));
    value_of(co_await timeout(10s, b.readable()));
    EXPECT_EQ(value_of(b.try_recv(buffer)).size, 3u);
  }
}

DATAGRAM_TEST(too_large_is_an_error) {
  auto a = Transport::bind();
  auto b = Transport::bind();
  const std::vector<char> huge(8 << 20);
  EXPECT_EQ(error_of(co_await a.send_to(huge, b.local_address().value())), std::errc::message_size);
  value_of(co_await a.send_to("fits", b.local_address().value()));
  std::array<char, 16> buffer{};
  EXPECT_EQ(value_of(co_await b.recv(buffer)).size, 4u);
}

template <class Socket>
Task<int> receives_numbers(Socket& socket, int until) {
  int received = 0;
  for (int round = 0; received < until; ++round) {
    std::array<char, 32> buffer{};
    auto first = co_await select(socket.recv(buffer), yield_now(), sleep(Duration((round % 5) * 10us)));
    if (first.index() != 0) continue;
    EXPECT_EQ(text_of(buffer, value_of(std::get<0>(std::move(first)))), std::to_string(received));
    ++received;
  }
  co_return received;
}
template <class Socket>
Task<> sends_numbers(Socket& socket, int count) {
  for (int i = 0; i < count; ++i) {
    value_of(co_await socket.send(std::to_string(i)));
    if (i % 16 == 15) co_await sleep(50us);  // UDP drops what the receiver has no room for
  }
}
DATAGRAM_TEST(receives_cancelled_at_random_lose_no_datagram) {
  constexpr int count = scaled(2000, 400);
  auto a = Transport::bind();
  auto b = Transport::bind();
  b.set_receive_buffer_size(1 << 20).value();
  a.connect(b.local_address().value()).value();
  auto [received, sent] = co_await join(receives_numbers(b, count), sends_numbers(a, count));
  EXPECT_EQ(received, count);
}

// --- UDP ------------------------------------------------------------------------------------------------------------

TEST_P(udp, a_port_that_nobody_has_is_reported_and_the_socket_goes_on) {
  auto body = []() -> Task<> {
    UdpSocket client = UdpSocket::bind(SocketAddress::loopback(0)).value();
    auto peer = std::optional(UdpSocket::bind(SocketAddress::loopback(0)).value());
    const SocketAddress address = peer->local_address().value();
    client.connect(address).value();
    std::array<char, 16> buffer{};
    for (int round = 0; round < 5; ++round) {
      peer.reset();
      // Both ways to learn it: waiting, and having to try.
      if (round % 2 == 0) {
        auto waits = co_await select(client.recv(buffer), sleep(1ms));
        EXPECT_EQ(waits.index(), 1u);
      }
      (co_await client.send("anybody?")).value();
      const auto refused = co_await timeout(10s, client.recv(buffer));
      EXPECT_EQ(refused.error(), std::errc::connection_refused);
      EXPECT_STREQ(refused.error().operation(), "recv");
      peer = UdpSocket::bind(address).value();
      (co_await client.send("hello")).value();
      const auto received = (co_await peer->recv_from(buffer)).value();
      EXPECT_EQ(received.size, 5u);
      (co_await peer->send_to("yes", received.peer)).value();
      EXPECT_EQ((co_await client.recv(buffer)).value().size, 3u);
    }
  };
  run(body());
}

TEST_P(udp, a_pending_error_is_taken_once) {
  auto body = []() -> Task<> {
    UdpSocket client = UdpSocket::bind(SocketAddress::loopback(0)).value();
    client.connect(UdpSocket::bind(SocketAddress::loopback(0)).value().local_address().value()).value();
    (co_await client.send("anybody?")).value();
    (co_await timeout(10s, client.readable())).value();
    EXPECT_EQ(client.take_error().error(), std::errc::connection_refused);
    EXPECT_TRUE(client.take_error());
  };
  run(body());
}

TEST_P(udp, options) {
  UdpSocket socket = UdpSocket::bind(SocketAddress::any(0)).value();
  EXPECT_FALSE(socket.broadcast().value());
  socket.set_broadcast(true).value();
  EXPECT_TRUE(socket.broadcast().value());
  socket.set_multicast_ttl(5).value();
  EXPECT_EQ(socket.multicast_ttl().value(), 5);
  socket.set_multicast_loop(false).value();
  EXPECT_FALSE(socket.multicast_loop().value());
  socket.set_ttl(9).value();
  EXPECT_EQ(socket.ttl().value(), 9);
  BindOptions options;
  options.reuse_port = true;
  options.reuse_address = true;
  const UdpSocket first = UdpSocket::bind(SocketAddress::loopback(0), options).value();
  const SocketAddress address = first.local_address().value();
  EXPECT_TRUE(UdpSocket::bind(address, options));
  const auto refused = UdpSocket::bind(address);
  EXPECT_EQ(refused.error().message(), "bind " + address.to_string() + ": Address already in use");
  EXPECT_EQ(interface_index("lo").value(), 1u);
  EXPECT_EQ(interface_index("no-such-device").error(), std::errc::no_such_device);
}

TEST_P(udp, broadcast_needs_permission) {
  auto body = []() -> Task<> {
    UdpSocket socket = UdpSocket::bind(SocketAddress::any(0)).value();
    const auto everybody = SocketAddress::parse("255.255.255.255:9").value();
    EXPECT_EQ((co_await socket.send_to("x", everybody)).error(), std::errc::permission_denied);
  };
  run(body());
}

Task<> check_multicast(const char* group_name, SocketAddress any) {
  BindOptions options;
  options.reuse_address = true;
  const auto bound = UdpSocket::bind(any, options);
  if (!bound) co_return;  // no IPv6 here
  const std::uint16_t port = bound->local_address().value().port();
  const SocketAddress group = SocketAddress::from_ip(group_name, port).value();
  UdpSocket first = UdpSocket::bind(any.with_port(port), options).value();
  UdpSocket second = UdpSocket::bind(any.with_port(port), options).value();
  const std::uint32_t loopback = interface_index("lo").value();
  first.join_multicast(group, loopback).value();
  second.join_multicast(group, loopback).value();
  EXPECT_EQ(second.join_multicast(group, loopback).error(), std::errc::address_in_use);
  UdpSocket sender = UdpSocket::bind(any).value();
  sender.set_multicast_interface(loopback).value();
  sender.set_multicast_ttl(0).value();
  const Result<void> sent = co_await sender.send_to("to all", group);
  if (any.is_v6() && !sent && sent.error() == std::errc::network_unreachable) co_return;  // no route for it here
  sent.value();
  std::array<char, 16> buffer{};
  EXPECT_EQ((co_await timeout(10s, first.recv(buffer))).value().size, 6u);
  EXPECT_EQ((co_await timeout(10s, second.recv(buffer))).value().size, 6u);
  second.leave_multicast(group, loopback).value();
  EXPECT_FALSE(second.leave_multicast(group, loopback));
  (co_await sender.send_to("to one", group)).value();
  EXPECT_EQ((co_await timeout(10s, first.recv(buffer))).value().size, 6u);
}

TEST_P(udp, multicast) { run(check_multicast("239.7.7.7", SocketAddress::any(0))); }
TEST_P(udp, multicast_v6) { run(check_multicast("ff01::7:7", SocketAddress::any_v6(0))); }

TEST_P(udp, ipv6) {
  auto bound = UdpSocket::bind(SocketAddress::loopback_v6(0));
  if (!bound) GTEST_SKIP() << "no IPv6 here: " << bound.error().message();
  auto body = [](UdpSocket& socket) -> Task<> {
    std::array<char, 16> buffer{};
    (co_await socket.send_to("self", socket.local_address().value())).value();
    const auto received = (co_await socket.recv_from(buffer)).value();
    EXPECT_EQ(received.peer, socket.local_address().value());
    socket.set_multicast_ttl(3).value();
    EXPECT_EQ(socket.multicast_ttl().value(), 3);
    socket.set_multicast_loop(false).value();
    EXPECT_FALSE(socket.multicast_loop().value());
  };
  run(body(*bound));
}

// --- Unix -----------------------------------------------------------------------------------------------------------

TEST_P(unix_datagram, pair) {
  auto body = []() -> Task<> {
    auto pair = UnixDatagram::pair().value();
    (co_await pair.first.send("ping")).value();
    std::array<char, 16> buffer{};
    const auto received = (co_await pair.second.recv_from(buffer)).value();
    EXPECT_EQ(received.size, 4u);
    EXPECT_TRUE(received.peer.is_unnamed());
    EXPECT_EQ(pair.second.peer_credentials().value().pid, ::getpid());
    {
      const auto dropped = std::move(pair.second);
    }
    EXPECT_EQ((co_await pair.first.send("ping")).error(), std::errc::connection_refused);
  };
  run(body());
}

TEST_P(unix_datagram, unbound_senders_are_unnamed) {
  auto body = []() -> Task<> {
    UnixDatagram sender = UnixDatagram::unbound().value();
    UnixDatagram receiver = Local::bind();
    (co_await sender.send_to("hello", receiver.local_address().value())).value();
    std::array<char, 16> buffer{};
    const auto received = (co_await receiver.recv_from(buffer)).value();
    EXPECT_TRUE(received.peer.is_unnamed());
    EXPECT_EQ(received.peer, UnixAddress());
    const auto nobody = co_await sender.send_to("hello", fresh_unix_address());
    EXPECT_EQ(nobody.error(), std::errc::connection_refused);
    EXPECT_EQ(sender.connect(fresh_unix_address()).error().operation(), std::string("connect"));
  };
  run(body());
}

Task<> sends_many(UnixDatagram& socket, std::optional<UnixAddress> to, int count) {
  for (int i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    Result<void> sent;
    if (to) {
      sent = co_await socket.send_to(number, *to);
    } else {
      sent = co_await socket.send(number);
    }
    sent.value();
  }
}

double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}
// A failed try makes the kernel say that the socket is writable: whoever believes it tries for ever.
Task<> expect_idle() {
  const double before = cpu_seconds();
  co_await sleep(300ms);
  EXPECT_LT(cpu_seconds() - before, 0.15);
}

// The receiver's queue is short (net.unix.max_dgram_qlen, 10): the sender waits, and nothing is lost.
TEST_P(unix_datagram, a_sender_waits_for_a_slow_receiver) {
  auto body = [](bool connected) -> Task<> {
    UnixDatagram sender = UnixDatagram::unbound().value();
    UnixDatagram receiver = Local::bind();
    const UnixAddress address = receiver.local_address().value();
    if (connected) sender.connect(address).value();
    constexpr int count = 2000;
    auto sending = sends_many(sender, connected ? std::nullopt : std::optional(address), count);
    auto task = spawn([](Task<> sends) -> Task<> { co_await sends; }(std::move(sending)));
    co_await expect_idle();
    EXPECT_FALSE(task.is_finished()) << "its datagrams do not fit into the queue";
    for (int i = 0; i < count; ++i) {
      std::array<char, 16> buffer{};
      const Received received = (co_await timeout(10s, receiver.recv(buffer))).value();
      EXPECT_EQ(text_of(buffer, received), std::to_string(i));
    }
    (co_await task).value();
  };
  run(body(true));
  run(body(false));
}

// Nothing of the waiting sender's own is in the queue.
TEST_P(unix_datagram, an_unconnected_sender_waits_for_a_queue_that_others_filled) {
  auto body = []() -> Task<> {
    UnixDatagram other = UnixDatagram::unbound().value();
    UnixDatagram sender = UnixDatagram::unbound().value();
    UnixDatagram receiver = Local::bind();
    const UnixAddress address = receiver.local_address().value();
    int queued = 0;
    while (other.try_send_to("x", address)) ++queued;
    auto task = spawn(sends_many(sender, address, 1));
    co_await expect_idle();
    EXPECT_FALSE(task.is_finished());
    std::array<char, 16> buffer{};
    for (int i = 0; i < queued; ++i) EXPECT_EQ((co_await receiver.recv(buffer)).value().size, 1u);
    EXPECT_EQ((co_await timeout(10s, receiver.recv(buffer))).value().size, 1u);
    (co_await timeout(10s, task)).value().value();
  };
  run(body());
}

}  // namespace
}  // namespace skua::tests
