// A TCP proxy: each connection to it becomes one to the upstream, and what either side says is handed on.
//   tcp_proxy UPSTREAM [LISTEN]      addresses, e.g. tcp_proxy 127.0.0.1:8080 127.0.0.1:7002
#include <skua/skua.hpp>

#include <chrono>
#include <cinttypes>
#include <cstdio>

using namespace skua;
using namespace std::chrono_literals;

// docs:begin proxy
Task<Result<void>> forward(TcpStream client, SocketAddress upstream, BothWays& bytes) {
  TcpStream server = co_await try_(timeout(10s, TcpStream::connect(upstream)));
  co_await try_(copy_bidirectional(client, server, bytes));
  co_return {};
}

Task<> handle(TcpStream client, SocketAddress upstream) {
  BothWays bytes;  // counted as they go: known after an error too
  const Result<void> result = co_await forward(std::move(client), upstream, bytes);
  std::printf("%" PRIu64 " bytes there, %" PRIu64 " back%s%s\n", bytes.a_to_b, bytes.b_to_a, result ? "" : ": ",
              result ? "" : result.error().message().c_str());
  std::fflush(stdout);
}
// docs:end

Task<Result<void>> serve(SocketAddress address, SocketAddress upstream) {
  TcpListener listener = co_await try_(TcpListener::bind(address));
  std::printf("listening on %s\n", (co_await try_(listener.local_address())).to_string().c_str());
  std::fflush(stdout);
  for (;;) {
    Accepted accepted = co_await try_(listener.accept());
    spawn(handle(std::move(accepted.stream), upstream)).detach();
  }
}

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: tcp_proxy UPSTREAM [LISTEN]\n"), 2;
  const auto upstream = SocketAddress::parse(argv[1]);
  if (!upstream) return std::fprintf(stderr, "%s\n", upstream.error().message().c_str()), 2;
  const auto address = SocketAddress::parse(argc > 2 ? argv[2] : "127.0.0.1:7002");
  if (!address) return std::fprintf(stderr, "%s\n", address.error().message().c_str()), 2;
  Runtime runtime;
  const Result<void> result = runtime.block_on(runtime.spawn(serve(*address, *upstream))).value();
  return std::fprintf(stderr, "%s\n", result.error().message().c_str()), 1;
}
