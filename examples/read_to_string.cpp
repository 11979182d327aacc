// A client writes a request, ends its side and reads the answer to the end; its server is a task of the same program.
#include <skua/skua.hpp>

#include <array>
#include <cstdio>
#include <string>
#include <utility>

using namespace skua;

// docs:begin read_to_string
Task<Result<std::string>> read_to_string(TcpStream& stream) {
  std::string text;
  std::array<char, 4096> buffer;
  for (;;) {
    const std::size_t n = co_await try_(stream.read(buffer));
    if (n == 0) co_return text;
    text.append(buffer.data(), n);
  }
}

Task<Result<std::string>> ask(SocketAddress address, std::string question) {
  TcpStream stream = co_await try_(TcpStream::connect(address));
  co_await try_(stream.write_all(question));
  co_await try_(stream.shutdown(Shutdown::write));
  co_return co_await read_to_string(stream);
}
// docs:end

/// Answers one question, which it has when the client ends its side.
Task<Result<void>> answer(TcpListener listener) {
  Accepted accepted = co_await try_(listener.accept());
  std::string reply("You said: ");
  reply += co_await try_(read_to_string(accepted.stream));
  co_await try_(accepted.stream.write_all(reply));
  co_return {};
}

Task<Result<std::string>> talk() {
  TcpListener listener = co_await try_(TcpListener::bind(SocketAddress::loopback(0)));
  const SocketAddress address = co_await try_(listener.local_address());
  JoinHandle<Result<void>> server = spawn(answer(std::move(listener)));
  std::string reply = co_await try_(ask(address, "hello"));
  const Result<void> served = (co_await server).value();
  if (!served) co_return served.error();
  co_return reply;
}

int main() {
  Runtime runtime;
  const Result<std::string> reply = runtime.block_on(talk());
  if (!reply) return std::fprintf(stderr, "%s\n", reply.error().message().c_str()), 1;
  std::puts(reply->c_str());
  return *reply == "You said: hello" ? 0 : 1;
}
