// Test helpers: a child process, without the runtime's help; and what the process costs while it waits.
#pragma once

#include <skua/skua.hpp>

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace skua::tests {

/// A running program, killed by the destructor. Descriptors of its standard streams; -1: as ours, -2: closed.
class Child {
 public:
  static constexpr int closed = -2;

  Child(std::vector<std::string> words, int in, int out, int error = -1) {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    for (const auto& [fd, target] : {std::pair(in, 0), std::pair(out, 1), std::pair(error, 2)}) {
      if (fd >= 0) ::posix_spawn_file_actions_adddup2(&actions, fd, target);
      if (fd == closed) ::posix_spawn_file_actions_addclose(&actions, target);
    }
    // The threads of the runtime block every signal; a child must not inherit that.
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    const int error_number = ::posix_spawnp(&pid_, words[0].c_str(), &actions, &attributes, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (error_number != 0) throw std::runtime_error("cannot start " + words[0]);
  }
  ~Child() {
    if (pid_ == 0) return;
    kill();
    exit_status();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  void kill(int signal = SIGKILL) const { ::kill(pid_, signal); }
  /// Waits for the end (blocking). The exit status, or 1000 + the signal that killed it.
  int exit_status() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  pid_t pid_ = 0;
};

inline std::chrono::nanoseconds cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

/// The part of a processor that this process uses while the calling task sleeps: 1 if a thread spins.
inline Task<double> cpu_share_while_idle(Duration length = std::chrono::milliseconds(60)) {
  const auto cpu = cpu_time();
  const auto start = seam::now();
  co_await sleep(length);
  const std::chrono::duration<double> used = cpu_time() - cpu;
  const std::chrono::duration<double> passed = seam::now() - start;
  co_return used / passed;
}

/// True if `operation` is still pending after a while. It is dropped then.
template <class F>
Task<bool> waits(F operation) {
  auto race = timeout(std::chrono::milliseconds(3), std::move(operation));
  const Output<decltype(race)> result = co_await race;
  co_return !result.has_value() && result.error() == std::errc::timed_out;
}

}  // namespace skua::tests
