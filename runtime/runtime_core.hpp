// RuntimeCore: the parts of a runtime, shared by Runtime and its Handles. Private.
#pragma once

#include <skua/blocking/blocking_places.hpp>
#include <skua/blocking/blocking_pool.hpp>
#include <skua/control/control_server.hpp>
#include <skua/core/clock.hpp>
#include <skua/core/mutex.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/timekeeper.hpp>
#include <skua/current_thread.hpp>
#include <skua/metrics.hpp>
#include <skua/monitor.hpp>
#include <skua/options.hpp>
#include <skua/reactor/driver.hpp>
#include <skua/reactor_thread.hpp>
#include <skua/runtime_counters.hpp>
#include <skua/scheduler/hooks.hpp>
#include <skua/scheduler/scheduler.hpp>
#include <skua/scheduler/task_snapshot.hpp>
#include <skua/shutdown_report.hpp>
#include <skua/worker_count.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace skua {

/// What a runtime is built from.
struct RuntimePlan {
  Options options;
  Hooks hooks;
  bool is_current_thread = false;
  std::string thread_name = "skua-worker";
  Ref<Timekeeper> keeper;      // null: time is real
  bool follows_quota = false;  // `workers` was auto
};

class RuntimeCore : public RefCounted<RuntimeCore> {
 public:
  /// Makes the drivers and starts the threads.
  static Result<Ref<RuntimeCore>> start(RuntimePlan plan);

  /// In this order: tasks and workers end (scheduler/shutdown.cpp); the reactor thread ends; operations are cancelled,
  /// and those that cannot be are waited for; the drivers wake whoever still waits on a foreign thread. Not from a
  /// worker; once.
  void shutdown();
  /// The same, and no longer than `limit`: see Runtime::shutdown().
  ShutdownReport shutdown_within(Duration limit, Duration grace);
  bool is_shut_down() const noexcept { return is_shut_down_; }

  scheduler::Scheduler& scheduler() noexcept { return *scheduler_; }
  WorkerCount& worker_count() noexcept { return worker_count_; }
  reactor::Driver& reactor_driver() noexcept { return *reactor_driver_; }
  BlockingPool& blocking_pool() noexcept { return *blocking_pool_; }
  BlockingPlaces& blocking_places() noexcept { return blocking_places_; }
  /// A function of spawn_blocking() has ended, on a thread of the pool.
  void on_blocking_end() noexcept;
  /// As at the start.
  const Options& options() const noexcept { return plan_.options; }
  /// As they are now.
  Options configuration();
  /// See Runtime::reconfigure().
  Result<void> reconfigure(std::string_view key, std::string_view value, std::string_view by);
  /// Null if time is real.
  const Ref<Timekeeper>& keeper() const noexcept { return plan_.keeper; }
  RuntimeCounters counters();
  Metrics metrics();
  std::vector<TaskSnapshot> tasks(std::size_t most);
  /// Where the control endpoint listens; empty: it is off.
  std::string control_address() const { return control_ ? control_->address().to_string() : std::string(); }
  /// Null: the runtime has threads of its own.
  CurrentThread* current_thread() noexcept { return current_thread_ ? &*current_thread_ : nullptr; }

  /// The runtime that this thread works for or has entered; null outside.
  static RuntimeCore* current() noexcept;
  /// Makes `core` this thread's runtime (null: none), and returns what it was before.
  static RuntimeCore* set_current(RuntimeCore* core) noexcept;

 private:
  friend class RefCounted<RuntimeCore>;
  RuntimeCore(RuntimePlan plan, Ref<reactor::Driver> reactor_driver, std::vector<Ref<reactor::Driver>> drivers);
  ~RuntimeCore() = default;
  void give_operations_to(reactor::Driver& driver);
  void start_threads();
  Result<void> start_control();
  /// Workers and reactor thread.
  std::uint32_t thread_count() const noexcept;
  /// They are awake, or are not there any more.
  void count_threads_as_active();
  void forget_threads();
  void substitute(std::uint32_t worker);
  bool drain(Instant deadline);
  void end_tasks_here();
  void end_threads();

  const Instant started_ = seam::now();
  const RuntimePlan plan_;  // with `workers`, `workers_limit` and `backend` resolved
  const Ref<reactor::Driver> reactor_driver_;
  const std::vector<Ref<reactor::Driver>> worker_drivers_;  // empty in ReactorMode::thread
  const Ref<BlockingPool> blocking_pool_;
  std::vector<Ref<reactor::OperationExecutor>> operation_rings_;  // none on epoll: the pool does all
  Monitor monitor_;
  const Ref<scheduler::Scheduler> scheduler_;
  WorkerCount worker_count_;
  ReactorThread reactor_thread_;
  std::optional<CurrentThread> current_thread_;
  BlockingPlaces blocking_places_;
  // What reconfigure() has made of the options of the plan
  seam::Mutex configuration_mutex_;
  Options configuration_ SKUA_GUARDED_BY(configuration_mutex_);
  std::unique_ptr<ControlServer> control_;  // null: off
  bool is_shut_down_ = false;               // or about to be; whose the Runtime is
  // Between shutdown_within() and the thread that does it
  seam::Mutex end_mutex_;
  seam::Condvar end_changed_;
  bool has_ended_ SKUA_GUARDED_BY(end_mutex_) = false;
};

/// Makes the calling thread one that works for `core`, which outlives this.
class EnteredRuntime {
 public:
  explicit EnteredRuntime(RuntimeCore& core) noexcept;
  ~EnteredRuntime();
  EnteredRuntime(const EnteredRuntime&) = delete;
  EnteredRuntime& operator=(const EnteredRuntime&) = delete;

 private:
  RuntimeCore* core_before_;
  reactor::Driver* driver_before_;
};

}  // namespace skua
