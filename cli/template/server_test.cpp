#include "server.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

using namespace skua;

namespace {

Task<Result<std::string>> exchange(SocketAddress address, std::string request) {
  TcpStream stream = co_await try_(TcpStream::connect(address));
  co_await try_(stream.write_all(request));
  co_return co_await read_to_string(stream);
}

// A server of its own for one request; then it is told to stop, and has to end.
Task<Result<std::string>> ask(std::string request) {
  TcpListener listener = co_await try_(TcpListener::bind(co_await try_(SocketAddress::parse("127.0.0.1:0"))));
  const SocketAddress address = co_await try_(listener.local_address());
  CancellationToken stop;
  auto serving = spawn(serve(std::move(listener), stop));
  std::string response = co_await try_(exchange(address, std::move(request)));
  stop.cancel();
  co_await try_((co_await serving).value());
  co_return response;
}

Result<std::string> response_to(std::string request) {
  Runtime runtime;
  return runtime.block_on(ask(std::move(request)));
}

}  // namespace

TEST(server, answers_with_the_path) {
  const auto response = response_to("GET /you HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_TRUE(response->starts_with("HTTP/1.1 200 OK\r\n")) << *response;
  EXPECT_TRUE(response->ends_with("\r\n\r\nhello from /you\n")) << *response;
}

TEST(server, ends_while_no_client_is_there) {
  Runtime runtime;
  auto at_once = []() -> Task<Result<void>> {
    TcpListener listener = co_await try_(TcpListener::bind(co_await try_(SocketAddress::parse("127.0.0.1:0"))));
    CancellationToken stop;
    stop.cancel();
    co_return co_await serve(std::move(listener), stop);
  };
  EXPECT_TRUE(runtime.block_on(at_once()));
}
