// The thread seam: named threads, joined by their owner.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <utility>

namespace skua::seam {

/// What Thread is made of. The bodies are in thread.cpp alone, for the same reason as those of core/kernel.hpp.
std::thread start_thread(std::string name, std::function<void()> body);
bool is_started_thread() noexcept;
/// A number of the calling thread that no other thread of the process has, had, or will have.
std::uint64_t thread_number() noexcept;

/// A thread that must be joined before it is destroyed (an unjoined one ends the program: a bug of ours).
class Thread {
 public:
  Thread() = default;
  /// Starts `body` on a new thread whose name (the first 15 bytes of `name`) shows in ps, top and gdb.
  /// Signals are blocked in it, so that they go to the threads of the application.
  /// Throws std::system_error when the system has no thread left.
  Thread(std::string name, std::function<void()> body) : thread_(start_thread(std::move(name), std::move(body))) {}

  /// The calling thread was started by a Thread: no signal but its own faults reaches it.
  static bool is_current() noexcept { return is_started_thread(); }

  void join() { thread_.join(); }
  /// Nobody will join it: it ends by itself, or with the process.
  void detach() { thread_.detach(); }
  bool joinable() const noexcept { return thread_.joinable(); }

 private:
  std::thread thread_;
};

}  // namespace skua::seam
