// An echo server: each connection is a task.
//   echo_server [address]      default 127.0.0.1:7000; try `nc 127.0.0.1 7000`
#include <skua/skua.hpp>

#include <array>
#include <cstdio>

using namespace skua;

// docs:begin echo_server
Task<Result<void>> echo(TcpStream stream) {
  std::array<char, 16384> buffer;
  for (;;) {
    const std::size_t n = co_await try_(stream.read(buffer));
    if (n == 0) co_return {};
    co_await try_(stream.write_all({buffer.data(), n}));
  }
}

Task<Result<void>> serve(SocketAddress address) {
  TcpListener listener = co_await try_(TcpListener::bind(address));
  std::printf("listening on %s\n", (co_await try_(listener.local_address())).to_string().c_str());
  std::fflush(stdout);
  for (;;) {
    Accepted accepted = co_await try_(listener.accept());
    co_await try_(accepted.stream.set_nodelay(true));
    spawn(echo(std::move(accepted.stream))).detach();
  }
}
// docs:end

int main(int argc, char** argv) {
  const auto address = SocketAddress::parse(argc > 1 ? argv[1] : "127.0.0.1:7000");
  if (!address) return std::fprintf(stderr, "%s\n", address.error().message().c_str()), 2;
  Runtime runtime;
  const Result<void> result = runtime.block_on(runtime.spawn(serve(*address))).value();
  return std::fprintf(stderr, "%s\n", result.error().message().c_str()), 1;
}
