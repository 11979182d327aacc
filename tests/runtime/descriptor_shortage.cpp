// A server whose process runs out of descriptors (a program of its own: the limit is the process's).
//   descriptor_shortage BACKEND
//
// While none is left, accept() waits: it neither ends nor spins, connections that exist are served, one warning is
// logged, and the waiting clients are served as soon as descriptors are free again. If none is for long, they are
// turned away, as often as it comes to that.
#include <skua/skua.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <vector>

using namespace skua;
using namespace std::chrono_literals;

namespace {

std::atomic<int> warnings{0};

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "failed: %s\n", what);
  std::_Exit(1);
}
void check(bool condition, const char* what) {
  if (!condition) fail(what);
}

Task<Result<void>> echo(TcpStream stream) {
  std::array<char, 64> buffer;
  for (;;) {
    const std::size_t n = co_await try_(stream.read(buffer));
    if (n == 0) co_return {};
    co_await try_(stream.write_all({buffer.data(), n}));
  }
}
Task<Result<void>> serve(TcpListener& listener) {
  for (;;) {
    Accepted accepted = co_await try_(listener.accept());
    spawn(echo(std::move(accepted.stream))).detach();
  }
}
Task<bool> is_echoed(TcpStream& stream) {
  std::array<char, 1> buffer{'x'};
  const auto written = co_await timeout(20s, stream.write_all(buffer));
  if (!written) co_return false;
  const auto count = co_await timeout(20s, stream.read(buffer));
  co_return count && *count == 1;
}
Task<> expect_echo(TcpStream& stream) { check(co_await is_echoed(stream), "an echo within 20 s"); }

std::vector<int> take_all_descriptors() {
  std::vector<int> taken;
  for (;;) {
    const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return taken;
    taken.push_back(fd);
  }
}
/// One descriptor is left, for the client; none for what the server would accept.
std::vector<int> take_all_descriptors_but_one() {
  std::vector<int> taken = take_all_descriptors();
  ::close(taken.back());
  taken.pop_back();
  return taken;
}
void give_back(const std::vector<int>& taken) {
  for (const int fd : taken) ::close(fd);
}
Task<> expect_to_be_turned_away(TcpStream& stream) {
  std::array<char, 1> buffer{};
  const auto count = co_await timeout(20s, stream.read(buffer));
  check(count && *count == 0, "the end of the stream within 20 s");
}
/// The try that turned one away may have taken another.
Task<TcpStream> connect_until_served(SocketAddress address) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    TcpStream stream = (co_await TcpStream::connect(address)).value();
    if (co_await is_echoed(stream)) co_return stream;
  }
  fail("a client is served when there are descriptors again");
}
double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

Task<> test() {
  TcpListener listener = TcpListener::bind(SocketAddress::loopback(0)).value();
  auto server = spawn(serve(listener));
  const SocketAddress address = listener.local_address().value();
  TcpStream early = (co_await TcpStream::connect(address)).value();
  co_await expect_echo(early);

  std::vector<int> taken = take_all_descriptors_but_one();
  TcpStream late = (co_await TcpStream::connect(address)).value();
  const double before = cpu_seconds();
  co_await sleep(600ms);
  const double spent = cpu_seconds() - before;
  check(!server.is_finished(), "the server goes on");
  check(spent < 0.3, "it does not spin");
  check(warnings.load() == 1, "one warning");
  co_await expect_echo(early);

  give_back(taken);
  co_await expect_echo(late);

  std::vector<TcpStream> kept;  // the server's ends stay open, too
  for (int round = 0; round < 2; ++round) {
    taken = take_all_descriptors_but_one();
    kept.push_back((co_await TcpStream::connect(address)).value());
    co_await expect_to_be_turned_away(kept.back());
    co_await expect_echo(early);
    give_back(taken);
    kept.push_back(co_await connect_until_served(address));
  }
  check(warnings.load() == 1, "still one warning");
  server.abort();
  static_cast<void>(co_await server);
}

}  // namespace

int main(int, char** argv) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = 64;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  set_log_sink([](LogLevel level, std::string_view message) {
    if (level == LogLevel::warning && message.find("Too many open files") != std::string_view::npos) ++warnings;
  });
  const auto backend = std::string_view(argv[1]) == "epoll" ? Backend::epoll : Backend::io_uring;
  auto runtime = Builder().backend(backend).workers(2).build();
  if (!runtime) return std::fprintf(stderr, "%s\n", runtime.error().message().c_str()), 77;
  runtime->block_on(runtime->spawn(test())).value();
  return 0;
}
