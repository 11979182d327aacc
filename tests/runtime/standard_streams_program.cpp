// What standard_streams_test runs, with streams of all kinds:
//   copy           standard input to standard output
//   impatient      the same, by reads most of which are dropped while they are pending
//   two            the same, by two tasks with objects of their own; the bytes are counted, and the number is printed
//   lines N SIZE   four tasks write N lines each, of one letter, SIZE bytes long, each by one write_all()
//   for_ever       writes until it fails
//   error TEXT     to standard error
// Exit status: 0; 3 if the other side of a pipe is gone; 4 other errors; 9 if a stream is non-blocking afterwards.
#include <skua/skua.hpp>

#include <fcntl.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace skua;
using namespace std::chrono_literals;

namespace {

Task<Result<void>> copy(Duration patience) {
  StandardInput in = co_await try_(StandardInput::open());
  StandardOutput out = co_await try_(StandardOutput::open());
  std::array<char, 1000> buffer;
  for (;;) {
    const Result<std::size_t> count = co_await timeout(patience, in.read(buffer));
    if (!count && count.error() == std::errc::timed_out) {
      patience = patience > 10ms ? Duration(0) : patience + 10us;  // it comes to something in the end
      continue;
    }
    if (!count) co_return count.error();
    if (*count == 0) co_return {};
    co_await try_(out.write_all({buffer.data(), *count}));
  }
}

Task<Result<std::size_t>> count_bytes() {
  StandardInput in = co_await try_(StandardInput::open());
  std::array<char, 100> buffer;
  for (std::size_t total = 0;;) {
    const std::size_t n = co_await try_(in.read(buffer));
    if (n == 0) co_return total;
    total += n;
  }
}

Task<Result<void>> count_in_two_tasks() {
  auto one = spawn(count_bytes());
  auto two = spawn(count_bytes());
  const std::size_t first = co_await try_((co_await one).value());
  const std::size_t second = co_await try_((co_await two).value());
  StandardOutput out = co_await try_(StandardOutput::open());
  const std::string text = std::to_string(first + second) + "\n";
  co_await try_(out.write_all(text));
  co_return {};
}

Task<Result<void>> write_lines(char letter, int lines, std::size_t size) {
  StandardOutput out = co_await try_(StandardOutput::open());
  const std::string line = std::string(size, letter) + "\n";
  for (int i = 0; i < lines; ++i) co_await try_(out.write_all(line));
  co_return {};
}

Task<Result<void>> write_lines_in_four_tasks(int lines, std::size_t size) {
  std::vector<JoinHandle<Result<void>>> writers;
  for (const char letter : {'a', 'b', 'c', 'd'}) writers.push_back(spawn(write_lines(letter, lines, size)));
  for (auto& writer : writers) co_await try_((co_await writer).value());
  co_return {};
}

Task<Result<void>> write_for_ever() {
  StandardOutput out = co_await try_(StandardOutput::open());
  for (;;) co_await try_(out.write_all("again and again\n"));
}

Task<Result<void>> write_error(std::string text) {
  StandardOutput out = co_await try_(StandardOutput::open_error());
  co_await try_(out.write_all(text));
  co_return {};
}

Task<Result<void>> task_of(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "copy") return copy(24h);
  if (mode == "impatient") return copy(0ns);
  if (mode == "two") return count_in_two_tasks();
  if (mode == "lines" && argc > 3)
    return write_lines_in_four_tasks(std::atoi(argv[2]), std::strtoul(argv[3], nullptr, 10));
  if (mode == "for_ever") return write_for_ever();
  if (mode == "error" && argc > 2) return write_error(argv[2]);
  std::fprintf(stderr, "no such mode\n");
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  Result<void> result;
  {
    Runtime runtime;
    result = runtime.block_on(runtime.spawn(task_of(argc, argv))).value();
  }
  for (const int fd : {0, 1, 2}) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) != 0) return 9;
  }
  if (result) return 0;
  std::fprintf(stderr, "%s\n", result.error().message().c_str());
  return result.error() == std::errc::broken_pipe ? 3 : 4;
}
