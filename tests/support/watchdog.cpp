#include "watchdog.hpp"

#include <execinfo.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace skua::tests {

namespace {

// The runtime's threads block all signals but those of faults; this one nobody uses.
constexpr int where_are_you = SIGTRAP;

void print_stack(int) {
  std::array<void*, 64> frames;
  const int count = ::backtrace(frames.data(), static_cast<int>(frames.size()));
  ::backtrace_symbols_fd(frames.data(), count, STDERR_FILENO);
}

std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

void print_threads() {
  struct sigaction action{};
  action.sa_handler = &print_stack;
  ::sigaction(where_are_you, &action, nullptr);
  const int self = static_cast<int>(::syscall(SYS_gettid));
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    const int thread = std::atoi(entry.path().filename().c_str());
    if (thread == self) continue;
    std::fprintf(stderr, "--- thread %d %s, in the kernel: %s\n", thread, first_line(entry.path() / "comm").c_str(),
                 first_line(entry.path() / "wchan").c_str());
    ::syscall(SYS_tgkill, ::getpid(), thread, where_are_you);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // one after the other
  }
}

}  // namespace

Watchdog::Watchdog(std::chrono::seconds limit, std::function<std::string()> describe)
    : describe_(std::move(describe)), thread_([this, limit] { run(limit); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  condition_.notify_one();
  thread_.join();
}

void Watchdog::run(std::chrono::seconds limit) {
  std::unique_lock lock(mutex_);
  if (condition_.wait_for(lock, limit, [this] { return is_over_; })) return;
  std::fprintf(stderr, "watchdog: not done after %lld s: %s\n", static_cast<long long>(limit.count()),
               describe_().c_str());
  print_threads();
  std::_Exit(1);
}

}  // namespace skua::tests
