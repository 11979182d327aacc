// Handle: a way into a runtime, for any thread. Cheap to copy; does not keep the runtime's threads alive.
#pragma once

#include <skua/core/future.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/result.hpp>
#include <skua/options.hpp>
#include <skua/runtime_counters.hpp>
#include <skua/scheduler/scheduler.hpp>

#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace skua {

class RuntimeCore;
class Semaphore;
struct Metrics;
struct SpawnSite;
struct TaskSnapshot;

class Handle {
 public:
  /// The runtime of this thread: on its workers, and inside of its block_on(). Elsewhere ends the program, and says so.
  static Handle current();
  /// Whether current() would return.
  static bool has_current() noexcept;

  /// Starts `future` as a task. Any thread. Once the runtime has been shut down the future is destroyed at once, by the
  /// caller, and the join is cancelled.
  template <Future F>
  JoinHandle<Output<F>> spawn(F future, std::source_location at = std::source_location::current()) const {
    return scheduler().spawn(std::move(future), at);
  }

  /// What the runtime was started with: `workers` and `backend` say what `auto` came to.
  const Options& options() const noexcept;
  /// The same, with what reconfigure() has changed since, and the origin of that.
  Options configuration() const;
  /// See Runtime::reconfigure(). `by` is the origin of the value from now on: who wants it.
  Result<void> reconfigure(std::string_view key, std::string_view value, std::string_view by = "reconfigure()") const;
  /// Workers that run tasks; none once the runtime has been shut down.
  std::uint32_t workers() const noexcept { return scheduler().active_workers(); }
  /// From now on so many do. Returns at once. More begin at once; of those that are too many, each ends the poll that
  /// it is in, hands its other tasks over, and from then on only wakes those whose descriptors and timers it has.
  /// Nothing is lost. The same as reconfigure("workers", ...), which takes "auto", too: the quota of the cgroup is
  /// followed until a number is set. Any thread. Errors: invalid_argument: 0, or more than `workers_limit`.
  Result<void> set_workers(std::uint32_t count) const;
  /// Where the control endpoint listens, with the port that the system has chosen; empty: it is off.
  std::string control_address() const;
  /// Tasks that have been spawned and have not ended.
  std::size_t alive_tasks() const { return scheduler().alive_tasks(); }
  /// What the runtime has in hand.
  RuntimeCounters counters() const;
  /// What it has done and is doing: see <skua/metrics.hpp>. Any thread, any time: stops nobody, waits for nobody.
  Metrics metrics() const;
  /// The tasks that are alive, by the place where they were spawned; the most numerous first. Looks at each task, some
  /// five thousand in a millisecond, and holds up nobody for longer than it takes to look at a hundred.
  std::vector<SpawnSite> spawn_sites() const;
  /// What the tasks are doing that are alive, `most` of them: see <skua/scheduler/task_snapshot.hpp>. Any thread, any
  /// time. Polls nothing and stops nobody: a task that waits is kept from being polled for as long as it is looked at,
  /// a microsecond.
  std::vector<TaskSnapshot> tasks(std::size_t most = 1000) const;

  // For the runtime
  explicit Handle(Ref<RuntimeCore> core) noexcept;
  Handle(const Handle&) noexcept;
  Handle(Handle&&) noexcept;
  Handle& operator=(Handle) noexcept;
  ~Handle();
  scheduler::Scheduler& scheduler() const noexcept;
  Semaphore& blocking_admission() const noexcept;
  const Ref<RuntimeCore>& core() const noexcept { return core_; }

 private:
  Ref<RuntimeCore> core_;
};

/// The scheduler of this thread's runtime, as Handle::current().
scheduler::Scheduler& current_scheduler();

}  // namespace skua
