// A TCP echo server with the command line that load drivers expect: echo_server -p PORT -w WORKERS [-b BACKEND]
// [-s BYTES of buffer for each connection]
#include <skua/skua.hpp>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include <unistd.h>

using namespace skua;

namespace {

Task<Result<void>> echo(TcpStream stream, std::size_t buffer_size) {
  std::vector<char> buffer(buffer_size);
  for (;;) {
    const std::size_t n = co_await try_(stream.read(buffer));
    if (n == 0) co_return {};
    co_await try_(stream.write_all({buffer.data(), n}));
  }
}

Task<Result<void>> serve(std::uint16_t port, std::size_t buffer_size) {
  ListenOptions options;
  options.backlog = 4096;
  TcpListener listener = co_await try_(TcpListener::bind(SocketAddress::loopback(port), options));
  for (;;) {
    Accepted accepted = co_await try_(listener.accept());
    co_await try_(accepted.stream.set_nodelay(true));
    spawn(echo(std::move(accepted.stream), buffer_size)).detach();
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 9000;
  std::size_t buffer_size = 65536;
  Builder builder;
  builder.workers(1);
  for (int option = 0; (option = getopt(argc, argv, "p:w:b:s:")) != -1;) {
    if (option == 'p') port = static_cast<std::uint16_t>(std::atoi(optarg));
    if (option == 's') buffer_size = static_cast<std::size_t>(std::atoll(optarg));
    if (option == 'w') builder.workers(static_cast<std::uint32_t>(std::atoi(optarg)));
    if (option == 'b') builder.backend(std::string_view(optarg) == "epoll" ? Backend::epoll : Backend::io_uring);
    if (option == '?') return 2;
  }
  Runtime runtime = builder.build().value();
  const Result<void> ended = runtime.block_on(runtime.spawn(serve(port, buffer_size))).value();
  std::fprintf(stderr, "%s\n", ended.error().message().c_str());
  return 1;
}
