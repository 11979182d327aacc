// Builder: how a runtime is set up in code.
//
//   Result<Runtime> runtime = Builder().workers(4).build();
//
// What the environment says (SKUA_WORKERS and its like, see options.hpp) is stronger than code; files and command
// lines come in through options(), see <skua/config/load.hpp>.
#pragma once

#include <skua/core/result.hpp>
#include <skua/options.hpp>
#include <skua/scheduler/hooks.hpp>
#include <skua/time/virtual_clock.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace skua {

class Runtime;

class Builder {
 public:
  Builder() = default;

  /// 1 to 1024; workers_auto (the default) takes available_parallelism().
  Builder& workers(std::uint32_t count);
  /// How many there may be later, see Handle::set_workers(): 1 to 1024. Each that is not in use costs a thread that
  /// sleeps, and a ring. workers_limit_auto (the default): what the number of workers came to; for workers_auto more.
  Builder& workers_limit(std::uint32_t count);
  Builder& backend(Backend backend);
  Builder& reactor_mode(ReactorMode mode);
  /// Of each ring: 2 to 32768 and 4 to 65536.
  Builder& io_uring_entries(std::uint32_t submission, std::uint32_t completion);
  /// The most threads for calls that block: 1 to 1024.
  Builder& blocking_threads(std::uint32_t count);
  /// The most functions of spawn_blocking() that wait for one: 1 to 1000000.
  Builder& blocking_queue(std::uint32_t count);
  /// Its tasks go by virtual time: for tests. What blocks is done by the blocking pool then, also on io_uring.
  Builder& clock(const VirtualClock& clock);

  /// No threads: tasks run on the thread that is inside of block_on() or run_once(). `workers` and `reactor_mode` mean
  /// nothing then.
  Builder& current_thread();
  /// What the workers' threads are called, with their number after it: 15 bytes in all. "skua-worker" if not set.
  Builder& thread_name(std::string prefix);

  // See Hooks; each replaces the one before.
  Builder& on_thread_start(std::function<void()> hook);
  Builder& on_thread_stop(std::function<void()> hook);
  Builder& on_thread_park(std::function<void()> hook);
  Builder& on_thread_unpark(std::function<void()> hook);
  Builder& on_task_spawn(std::function<void(const TaskInfo&)> hook);
  Builder& on_task_end(std::function<void(const TaskInfo&)> hook);

  /// What code says of `key`, or the default, is final: see Options::lock().
  Builder& lock(std::string_view key);
  /// Takes over what was loaded elsewhere, origins and all, instead of what was set before; what was locked stays so.
  Builder& options(Options options);

  /// Starts the runtime. Errors: a setting out of range (which one, where it came from, what is allowed), or locked and
  /// set from outside; a back end that was asked for and is refused; no descriptors or threads left.
  Result<Runtime> build() const;

 private:
  Options options_;
  std::optional<VirtualClock> clock_;
  Hooks hooks_;
  bool is_current_thread_ = false;
  std::string thread_name_ = "skua-worker";
};

}  // namespace skua
