// RuntimeCore: the parts of a runtime, shared by Runtime and its Handles. Private.
#pragma once

#include <skua/blocking/blocking_pool.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/timekeeper.hpp>
#include <skua/monitor.hpp>
#include <skua/options.hpp>
#include <skua/reactor/driver.hpp>
#include <skua/reactor_thread.hpp>
#include <skua/scheduler/scheduler.hpp>

#include <memory>
#include <vector>

namespace skua {

class RuntimeCore : public RefCounted<RuntimeCore> {
 public:
  /// Makes the drivers and starts the threads. With a `keeper` they go by virtual time.
  static Result<Ref<RuntimeCore>> start(const Options& options, const Ref<Timekeeper>& keeper);

  /// In this order: tasks and workers end (scheduler/shutdown.cpp); the reactor thread ends; operations are cancelled,
  /// and those that cannot be are waited for; the drivers wake whoever still waits on a foreign thread. Not from a
  /// worker.
  void shutdown();

  scheduler::Scheduler& scheduler() noexcept { return *scheduler_; }
  reactor::Driver& reactor_driver() noexcept { return *reactor_driver_; }
  const Options& options() const noexcept { return options_; }
  /// Null if time is real.
  const Ref<Timekeeper>& keeper() const noexcept { return keeper_; }

  /// The runtime that this thread works for or has entered; null outside.
  static RuntimeCore* current() noexcept;
  /// Makes `core` this thread's runtime (null: none), and returns what it was before.
  static RuntimeCore* set_current(RuntimeCore* core) noexcept;

 private:
  friend class RefCounted<RuntimeCore>;
  RuntimeCore(Options options, Ref<Timekeeper> keeper, Ref<reactor::Driver> reactor_driver,
              std::vector<Ref<reactor::Driver>> drivers);
  ~RuntimeCore() = default;
  void give_operations_to(reactor::Driver& driver);
  void start_threads();
  /// Workers and reactor thread are awake, or are not there any more.
  void count_threads_as_active();
  void forget_threads();

  const Options options_;         // with `workers` and `backend` resolved
  const Ref<Timekeeper> keeper_;  // null if time is real
  const Ref<reactor::Driver> reactor_driver_;
  const std::vector<Ref<reactor::Driver>> worker_drivers_;  // empty in ReactorMode::thread
  const Ref<BlockingPool> blocking_pool_;
  std::vector<Ref<reactor::OperationExecutor>> operation_rings_;  // none on epoll: the pool does all
  Monitor monitor_;
  const Ref<scheduler::Scheduler> scheduler_;
  ReactorThread reactor_thread_;
};

}  // namespace skua
