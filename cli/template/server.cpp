#include "server.hpp"

#include <chrono>
#include <string>
#include <utility>

using namespace skua;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t longest_line = 8 * 1024;

std::string response_to(const std::string& request_line) {
  const auto from = request_line.find(' ') + 1;
  const std::string body = "hello from " + request_line.substr(from, request_line.find(' ', from) - from) + "\n";
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

Task<Result<void>> answer(TcpStream stream) {
  BufferedReader reader(borrow(stream));
  std::string request_line;
  if (!co_await try_(read_line(reader, request_line, longest_line))) co_return {};  // the client has gone
  std::string header;
  for (;;) {
    header.clear();
    const bool more = co_await try_(read_line(reader, header, longest_line));
    if (!more || header.empty()) break;  // an empty line ends the request
  }
  co_return co_await stream.write_all(response_to(request_line));
}

// A client that says nothing must not stay for ever. What goes wrong with one is no business of the others.
Task<Result<void>> answer_in_time(TcpStream stream) { co_return co_await timeout(30s, answer(std::move(stream))); }

}  // namespace

Task<Result<void>> serve(TcpListener listener, CancellationToken stop) {
  TaskTracker clients;
  for (;;) {
    auto accepted = co_await run_until_cancelled(stop, listener.accept());
    if (!accepted) break;
    Accepted client = co_await try_(*std::move(accepted));
    clients.spawn(answer_in_time(std::move(client.stream))).detach();
  }
  clients.close();
  co_await clients.wait();
  co_return {};
}
