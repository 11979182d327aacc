// A UDP echo server, and a client that asks it, in one program.
#include <skua/skua.hpp>

#include <array>
#include <cstdio>
#include <string>

using namespace skua;
using namespace std::chrono_literals;

// docs:begin server
Task<Result<void>> serve(UdpSocket socket) {
  std::array<char, 1500> buffer;
  for (;;) {
    const auto received = co_await try_(socket.recv_from(buffer));
    if (received.is_truncated()) continue;  // larger than what we serve; the rest is lost
    co_await try_(socket.send_to({buffer.data(), received.size}, received.peer));
  }
}
// docs:end

// docs:begin client
/// Datagrams get lost: ask again, a few times.
Task<Result<std::string>> ask(SocketAddress server, std::string question) {
  UdpSocket socket = co_await try_(UdpSocket::bind(SocketAddress::any(0)));
  co_await try_(socket.connect(server));  // only its answers are received, and its errors reported
  std::array<char, 1500> buffer;
  for (int i = 0; i < 3; ++i) {
    co_await try_(socket.send(question));
    const auto answer = co_await timeout(1s, socket.recv(buffer));
    if (answer) co_return std::string(buffer.data(), answer->size);
    if (!(answer.error() == std::errc::timed_out)) co_return answer.error();
  }
  co_return Error(std::errc::timed_out, "ask", server.to_string());
}
// docs:end

// docs:begin multicast
/// Tells every member of the group on the local network, this machine's too.
Task<Result<void>> announce(UdpSocket& socket, SocketAddress group, std::string message) {
  co_await try_(socket.set_multicast_ttl(1));  // no router passes it on
  co_await try_(socket.send_to(message, group));
  co_return {};
}

/// Receives what is sent to the group. With reuse_address other programs may do so too.
Result<UdpSocket> listen_to(SocketAddress group) {
  BindOptions options;
  options.reuse_address = true;
  Result<UdpSocket> socket = UdpSocket::bind(SocketAddress::any(group.port()), options);
  if (!socket) return socket;
  if (auto joined = socket->join_multicast(group); !joined) return joined.error();
  return socket;
}
// docs:end

Task<Result<void>> demonstrate() {
  UdpSocket socket = co_await try_(UdpSocket::bind(SocketAddress::loopback(0)));
  const SocketAddress address = co_await try_(socket.local_address());
  auto server = spawn(serve(std::move(socket)));
  const std::string answer = co_await try_(ask(address, "hello"));
  std::printf("%s\n", answer.c_str());
  server.abort();
  if (answer != "hello") co_return Error(std::errc::bad_message, "ask");

  // A machine without a route for multicast cannot do this part.
  auto member = listen_to(SocketAddress::from_ip("239.255.70.1", 47001).value());
  if (!member) co_return {};
  const SocketAddress group = SocketAddress::from_ip("239.255.70.1", 47001).value();
  if (!co_await announce(*member, group, "to all")) co_return {};
  std::array<char, 64> buffer;
  if (const auto heard = co_await timeout(1s, member->recv(buffer))) {
    std::printf("%.*s\n", static_cast<int>(heard->size), buffer.data());
  }
  co_return {};
}

int main() {
  Runtime runtime;
  const Result<void> result = runtime.block_on(demonstrate());
  if (!result) return std::fprintf(stderr, "%s\n", result.error().message().c_str()), 1;
  return 0;
}
