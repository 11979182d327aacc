// What is built on readers and writers: exact reads, lines, limits, buffers. Both ends of a stream in memory are here;
// a TcpStream takes the place of either.
#include <skua/skua.hpp>

#include <array>
#include <cstdio>
#include <string>
#include <utility>

using namespace skua;

// docs:begin message
/// A message: one byte that says how long it is, then so many bytes.
template <AsyncRead R>
Task<Result<std::string>> read_message(R& reader) {
  std::array<unsigned char, 1> size;
  ReadExact<R> read_size = read_exact(reader, size);
  co_await try_(read_size);
  std::string message(size[0], '\0');
  ReadExact<R> read_rest = read_exact(reader, message);
  co_await try_(read_rest);  // unexpected_eof, "5 of 12 bytes", if the peer stops in the middle
  co_return message;
}
// docs:end

// docs:begin lines
Task<Result<int>> count_words(DuplexStream stream) {
  BufferedReader reader(std::move(stream));
  std::string line;  // one string for all lines: no allocation for each
  int words = 0;
  while (co_await try_(read_line(reader, line))) {  // false at the end of the stream
    for (std::size_t at = 0; (at = line.find_first_not_of(' ', at)) != line.npos; at = line.find(' ', at)) ++words;
  }
  co_return words;
}
// docs:end

// docs:begin writing
Task<Result<void>> write_poem(DuplexStream stream) {
  BufferedWriter writer(std::move(stream));
  for (const char* line : {"Skuas steal\n", "what others\r\n", "\n", "have caught"}) {
    co_await try_(write_all(writer, line));  // into the buffer
  }
  co_return co_await writer.shutdown();  // flushes, and ends the stream; without it the buffer is lost
}
// docs:end

// docs:begin limits
Task<Result<std::string>> read_request(DuplexStream& stream) {
  auto body = take(borrow(stream), 1000);            // at most 1000 bytes belong to it
  co_return co_await read_to_string(body, 1 << 20);  // an error above 1 MiB; 64 MiB unless told otherwise
}
// docs:end

Task<Result<int>> talk() {
  auto [here, there] = duplex(64);
  auto poet = spawn(write_poem(std::move(there)));
  const int words = co_await try_(count_words(std::move(here)));
  co_await try_((co_await poet).value());
  auto [left, right] = duplex(64);
  co_await try_(write_all(left, "\5helloall the rest"));
  co_await try_(left.shutdown());
  const std::string message = co_await try_(read_message(right));
  const std::string rest = co_await try_(read_request(right));
  std::printf("%d words, %s, %s\n", words, message.c_str(), rest.c_str());
  co_return words == 6 && message == "hello" && rest == "all the rest" ? 0 : 1;
}

int main() {
  Runtime runtime;
  const Result<int> result = runtime.block_on(talk());
  if (!result) return std::fprintf(stderr, "%s\n", result.error().message().c_str()), 1;
  return *result;
}
