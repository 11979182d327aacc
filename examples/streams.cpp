// Streams: a generator, a pipeline of adaptors, and a server that is one.
#include <skua/skua.hpp>
#include <skua/streams.hpp>

#include <chrono>
#include <cstdio>
#include <optional>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

using namespace skua;
using namespace std::chrono_literals;

// docs:begin generator
Generator<Result<std::string>> lines_of(TcpStream connection) {
  Framed framed(std::move(connection), LinesCodec());
  for (;;) {
    Result<std::optional<std::string>> line = co_await framed.next();
    if (line && !*line) co_return;  // the peer has ended
    const bool failed = !line;
    Result<std::string> item = failed ? Result<std::string>(line.error()) : Result<std::string>(**std::move(line));
    co_yield std::move(item);
    if (failed) co_return;
  }
}
// docs:end

// docs:begin server
Task<Result<void>> greet(Result<Accepted> accepted) {
  Accepted connection = co_await try_(std::move(accepted));
  auto names = lines_of(std::move(connection.stream)) | stream::take(2);
  std::string all;
  while (auto name = co_await next(names)) {
    all += co_await try_(std::move(*name));
    all += ' ';
  }
  std::printf("greeted %s\n", all.c_str());
  co_return {};
}

/// Serves so many connections, up to 100 at the same time. Without take(): for ever.
Task<Result<void>> serve(TcpListener& listener, std::size_t count) {
  co_return co_await (stream::incoming(listener) | stream::take(count) | stream::try_for_each_concurrent(100, greet));
}
// docs:end

Task<Result<void>> send_names(SocketAddress server) {
  TcpStream connection = co_await try_(TcpStream::connect(server));
  co_await try_(connection.write_all("great\narctic\nsouth polar\n"));
  co_return {};
}

Task<Result<void>> serve_three() {
  TcpListener listener = co_await try_(TcpListener::bind(SocketAddress::loopback(0)));
  const SocketAddress address = co_await try_(listener.local_address());
  std::vector<Task<Result<void>>> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(send_names(address));
  co_await try_(try_join(serve(listener, 3), try_join_all(std::move(clients))));
  co_return {};
}

// docs:begin pipeline
Task<int> square_slowly(int n) {
  co_await sleep(1ms);
  co_return n* n;
}

Task<std::vector<int>> first_even_squares() {
  auto is_even = [](int n) { return n % 2 == 0; };
  auto squares = stream::from(std::views::iota(1)) |                     // 1, 2, 3, ... without end
                 stream::filter(is_even) | stream::map(square_slowly) |  // a stream of tasks ...
                 stream::buffered(8) |  // ... of which eight run at the same time; their outputs, in order
                 stream::take(5);
  co_return co_await (std::move(squares) | stream::collect());
}
// docs:end

// docs:begin time
/// What changes, in batches of up to eight, at most one batch a millisecond.
Task<int> reports() {
  auto changes = stream::ticks(interval(100us)) | stream::enumerate() | stream::take(20);
  auto batches = std::move(changes) | stream::chunks_timeout(8, 1ms) | stream::throttle(1ms);
  int total = 0;
  while (const auto batch = co_await next(batches)) total += static_cast<int>(batch->size());
  co_return total;
}
// docs:end

int main() {
  Runtime runtime;
  const std::vector<int> squares{4, 16, 36, 64, 100};
  const bool right = runtime.block_on(first_even_squares()) == squares && runtime.block_on(reports()) == 20 &&
                     runtime.block_on(serve_three()).has_value();
  std::printf("%s\n", right ? "all as it should be" : "something is wrong");
  return right ? 0 : 1;
}
