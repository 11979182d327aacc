// Connecting by name, with limits; a listener of one connection stands in for the server.
#include <skua/skua.hpp>

#include <array>
#include <cstdio>
#include <string>

using namespace skua;
using namespace std::chrono_literals;

// docs:begin connect
Task<Result<TcpStream>> connect_to(std::string host, std::uint16_t port) {
  ConnectOptions options;
  options.attempt_timeout = 3s;  // for each of the host's addresses
  options.stagger = 250ms;       // then the next address is tried beside it
  TcpStream stream = co_await try_(timeout(10s, connect(host, port, options)));
  co_await try_(stream.set_nodelay(true));
  co_await try_(stream.set_keepalive(KeepaliveOptions()));  // a peer that vanished is noticed after two minutes
  co_return std::move(stream);
}
// docs:end

// docs:begin halves
/// Sends and receives at the same time, so that neither side waits for the other to read.
Task<Result<std::string>> exchange(TcpStream stream, std::string request) {
  auto [reader, writer] = std::move(stream).into_split();
  auto send = [](TcpWriter to, std::string text) -> Task<Result<void>> {
    co_await try_(to.write_all(text));
    co_return {};  // dropping the writer ends its direction: the peer reads the end
  };
  auto sending = spawn(send(std::move(writer), std::move(request)));
  std::string answer;
  std::array<char, 4096> buffer;
  for (;;) {
    const std::size_t n = co_await try_(timeout(30s, reader.read(buffer)));
    if (n == 0) break;
    answer.append(buffer.data(), n);
  }
  const Result<void> sent = (co_await sending).value();
  if (!sent) co_return sent.error();
  co_return answer;
}
// docs:end

Task<Result<void>> echo_one(TcpListener& listener) {
  Accepted accepted = co_await try_(listener.accept());
  std::array<char, 4096> buffer;
  for (;;) {
    const std::size_t n = co_await try_(accepted.stream.read(buffer));
    if (n == 0) co_return {};
    co_await try_(accepted.stream.write_all({buffer.data(), n}));
  }
}

Task<Result<std::string>> ask(std::uint16_t port) {
  TcpStream stream = co_await try_(connect_to("localhost", port));
  co_return co_await exchange(std::move(stream), std::string(1 << 20, 'x'));
}

Task<Result<std::size_t>> demonstrate() {
  TcpListener listener = co_await try_(TcpListener::bind(SocketAddress::loopback(0)));
  const SocketAddress address = co_await try_(listener.local_address());
  auto [served, answer] = co_await join(echo_one(listener), ask(address.port()));
  if (!served) co_return served.error();
  if (!answer) co_return answer.error();
  co_return answer->size();
}

int main() {
  Runtime runtime;
  const Result<std::size_t> size = runtime.block_on(demonstrate());
  if (!size) return std::fprintf(stderr, "%s\n", size.error().message().c_str()), 1;
  std::printf("%zu bytes came back\n", *size);
  return *size == 1 << 20 ? 0 : 1;
}
