// How late a sleep is: the distribution, for each back end and some lengths, on a machine that is otherwise idle.
//
//   timer_lateness              some 3 seconds for each back end
//   timer_lateness 10           ten times as long
#include <skua/skua.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <vector>

using namespace skua;
using namespace std::chrono_literals;

namespace {

Task<std::vector<Duration>> latenesses(Duration length, std::size_t count) {
  std::vector<Duration> late;
  while (late.size() < count) {
    const Instant due = Clock::now() + length;
    co_await sleep_until(due);
    late.push_back(Clock::now() - due);
  }
  std::sort(late.begin(), late.end());
  co_return late;
}

double microseconds(Duration duration) { return std::chrono::duration<double, std::micro>(duration).count(); }

/// False: one was early.
bool print(const char* backend, Duration length, const std::vector<Duration>& late) {
  const auto quantile = [&](double q) {
    return microseconds(late[static_cast<std::size_t>(q * static_cast<double>(late.size() - 1))]);
  };
  std::printf("%-9s %8.1f ms %7zu %9.1f %8.1f %8.1f %8.1f %8.1f\n", backend, microseconds(length) / 1000, late.size(),
              quantile(0), quantile(0.5), quantile(0.9), quantile(0.99), quantile(1));
  return late.front() >= Duration::zero();
}

}  // namespace

int main(int count, char** arguments) {
  const Duration share = 500ms * (count > 1 ? std::max(1, std::atoi(arguments[1])) : 1);
  bool is_never_early = true;
  std::printf("%-9s %11s %7s %9s %8s %8s %8s %8s   microseconds late\n", "", "sleep", "times", "least", "p50", "p90",
              "p99", "most");
  for (const Backend backend : {Backend::io_uring, Backend::epoll}) {
    auto runtime = Builder().workers(1).backend(backend).build();
    if (!runtime) {
      std::printf("%s\n", runtime.error().message().c_str());
      continue;
    }
    const char* const name = backend == Backend::epoll ? "epoll" : "io_uring";
    for (const Duration length : {Duration(100us), Duration(250us), Duration(1ms), Duration(3ms), Duration(50ms)}) {
      const auto times = std::max<std::size_t>(20, static_cast<std::size_t>(share / length));
      auto task = runtime->spawn(latenesses(length, times));
      const auto wait = [](JoinHandle<std::vector<Duration>> handle) -> Task<std::vector<Duration>> {
        co_return (co_await handle).value();
      };
      is_never_early = print(name, length, runtime->block_on(wait(std::move(task)))) && is_never_early;
    }
  }
  std::puts(is_never_early ? "never early" : "EARLY");
  return is_never_early ? 0 : 1;
}
