// Options: what a runtime can be told, and where each value came from.
//
// A value may be set in code, in a file, in the environment and on the command line. The later in that list, the
// stronger; `Origin` is kept beside the value so that an error can say who is to blame. What code must own it locks.
// Some may be changed while the runtime works: Runtime::reconfigure().
//
// To add an option: a member of Options with its default, and a row of the table in option_table.cpp.
#pragma once

#include <skua/core/result.hpp>

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace skua {

/// Who set a value; the order is the precedence, weakest first.
enum class Source { default_value, code, file, environment, command_line, live };

struct Origin {
  Source source = Source::default_value;
  std::string detail;  // "skua.toml:3", "SKUA_WORKERS", "--workers", "reconfigure()"; empty for defaults and code

  /// "skua.toml:3", or "code".
  std::string describe() const;
};

/// A value and its origin; set() replaces it unless what is there is stronger.
template <class T>
struct Setting {
  T value{};
  Origin origin{};
  bool is_locked = false;  // see Options::lock()

  void set(T new_value, Origin from) {
    if (from.source < origin.source) return;
    value = std::move(new_value);
    origin = std::move(from);
  }
};

/// Number of workers; 0 stands for `auto`: available_parallelism().
inline constexpr std::uint32_t workers_auto = 0;
inline constexpr std::uint32_t workers_max = 1024;
/// Of `workers_limit`: as many as are started; with workers_auto, as many as the affinity mask allows, up to four times
/// those that are started.
inline constexpr std::uint32_t workers_limit_auto = 0;

/// Which kernel interface delivers readiness.
enum class Backend {
  automatic,  // io_uring, or epoll where io_uring is refused (the reason is logged once)
  io_uring,   // io_uring or an error
  epoll,
};

/// Entries of a ring's queues; the kernel rounds up to powers of two.
inline constexpr std::uint32_t submission_entries_min = 2;
inline constexpr std::uint32_t submission_entries_max = 32768;
inline constexpr std::uint32_t completion_entries_min = 4;
inline constexpr std::uint32_t completion_entries_max = 65536;

/// Threads for calls that block: see <skua/blocking/unblock.hpp>.
inline constexpr std::uint32_t blocking_threads_max = 1024;
/// Functions that wait for one: see <skua/blocking/spawn_blocking.hpp>.
inline constexpr std::uint32_t blocking_queue_max = 1'000'000;
inline constexpr std::uint32_t blocking_keep_alive_max = 3'600'000;  // milliseconds

/// Polls of a worker of which one is timed.
inline constexpr std::uint32_t poll_sample_max = 1'000'000;

/// Who waits for descriptors and timers.
enum class ReactorMode {
  workers,  // each worker for those its tasks use: the cheapest for servers
  thread,   // the reactor thread for all: for servers whose workers compute
};

struct Options {
  Setting<std::uint32_t> workers;
  Setting<std::uint32_t> workers_limit;
  Setting<Backend> backend;
  Setting<ReactorMode> reactor_mode;
  Setting<std::uint32_t> submission_entries{.value = 256};
  Setting<std::uint32_t> completion_entries{.value = 4096};
  Setting<std::uint32_t> blocking_threads{.value = 64};
  Setting<std::uint32_t> blocking_queue{.value = 1024};
  Setting<std::uint32_t> blocking_keep_alive_ms{.value = 10'000};
  Setting<std::uint32_t> poll_sample{.value = 64};
  Setting<bool> schedule_latency{.value = false};
  Setting<std::string> control_listen{.value = "off"};

  /// Sets an option by its key, as files, the environment and command lines do.
  /// The keys, and what each takes (output of skua config explain):
  ///   workers                       auto or a number from 1 to 1024 (threads)
  ///   workers_limit                 auto or a number from 1 to 1024 (threads)
  ///   backend                       auto, io_uring or epoll
  ///   reactor.mode                  workers or thread
  ///   io_uring.submission_entries   a number from 2 to 32768 (entries)
  ///   io_uring.completion_entries   a number from 4 to 65536 (entries)
  ///   blocking.threads              a number from 1 to 1024 (threads)
  ///   blocking.queue                a number from 1 to 1000000 (functions)
  ///   blocking.keep_alive_ms        a number from 0 to 3600000 (ms)
  ///   metrics.poll_sample           a number from 0 to 1000000 (polls)
  ///   metrics.schedule_latency      off or on
  ///   control.listen                off, /PATH, 127.0.0.1:PORT or [::1]:PORT
  /// An error names the key, the value, where it came from, and what is allowed; or the nearest key.
  Result<void> set(std::string_view key, std::string_view value, const Origin& origin);

  /// Makes final what code has set, or left at its default: to set it from anywhere else is an error from now on, and
  /// one of Builder::build() if it was set before. Ends the program if there is no such key.
  Options& lock(std::string_view key);

  /// Takes SKUA_WORKERS, SKUA_BACKEND, SKUA_REACTOR_MODE and their like (the key in capitals) where they are set, and
  /// not empty. Done once, it does nothing more. Others whose names begin with SKUA_ are a warning in the log, once in
  /// a process, with the nearest name: they may belong to another version, or to somebody else. (Not SKUA_CONFIG, and
  /// not SKUA_TEST_..., which are for tests.)
  Result<void> set_from_environment();
  bool has_environment = false;  // set_from_environment() has done it
};

/// The keys that Options::set() knows.
const std::vector<std::string_view>& option_keys();

/// Processors this process may use: its affinity mask, cut to the cgroup CPU quota (rounded up); at least 1.
std::uint32_t available_parallelism();

}  // namespace skua
