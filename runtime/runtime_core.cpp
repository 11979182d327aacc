#include <skua/blocking/counted_operations.hpp>
#include <skua/cgroup.hpp>
#include <skua/core/log.hpp>
#include <skua/driver_parker.hpp>
#include <skua/option_table.hpp>
#include <skua/reactor/operation_ring.hpp>
#include <skua/runtime_core.hpp>

#include <algorithm>
#include <chrono>
#include <new>
#include <system_error>
#include <utility>

namespace skua {

namespace {

constinit thread_local RuntimeCore* current_core = nullptr;

// Operations are fewer and larger than readiness: their ring needs less than a poller's.
reactor::OperationRingOptions operation_ring_options(const Options& options) {
  reactor::OperationRingOptions ring;
  ring.submission_entries = std::min(ring.submission_entries, options.submission_entries.value);
  ring.completion_entries = std::min(ring.completion_entries, options.completion_entries.value);
  // The kernel's limit is for each thread that submits.
  ring.most_threads = std::max(1U, options.blocking_threads.value / options.workers_limit.value);
  return ring;
}

Result<Ref<reactor::Driver>> make_driver(const Options& options, const Ref<Timekeeper>& keeper) {
  const reactor::RingSizes sizes(options.submission_entries.value, options.completion_entries.value);
  auto poller =
      options.backend.value == Backend::epoll ? reactor::make_epoll_poller() : reactor::make_ring_poller(sizes);
  if (!poller) return std::move(poller).error();
  return make_ref<reactor::Driver>(*std::move(poller), keeper);
}

struct Drivers {
  Ref<reactor::Driver> reactor;
  std::vector<Ref<reactor::Driver>> workers;  // none in ReactorMode::thread
};

Result<Drivers> make_drivers(const RuntimePlan& plan) {
  const Options& options = plan.options;
  Drivers drivers;
  auto reactor = make_driver(options, plan.keeper);
  if (!reactor) return std::move(reactor).error();
  drivers.reactor = *std::move(reactor);
  if (plan.is_current_thread) drivers.workers.push_back(drivers.reactor);
  if (plan.is_current_thread || options.reactor_mode.value == ReactorMode::thread) return drivers;
  for (std::uint32_t i = 0; i < options.workers_limit.value; ++i) {
    auto driver = make_driver(options, plan.keeper);
    if (!driver) return std::move(driver).error();
    drivers.workers.push_back(*std::move(driver));
  }
  return drivers;
}

// Resolves Backend::automatic: one back end for all drivers, io_uring if the kernel gives a ring to each of them.
Result<Drivers> make_drivers_of_best_backend(RuntimePlan& plan) {
  Options& options = plan.options;
  if (options.backend.value != Backend::automatic) return make_drivers(plan);
  options.backend.value = Backend::io_uring;
  auto drivers = make_drivers(plan);
  if (drivers) return drivers;
  reactor::warn_of_refused_ring(drivers.error());
  options.backend.value = Backend::epoll;
  return make_drivers(plan);
}

// What `auto` comes to.
Result<void> resolve_workers(RuntimePlan& plan) {
  Options& options = plan.options;
  std::uint32_t& workers = options.workers.value;
  std::uint32_t& limit = options.workers_limit.value;
  if (plan.is_current_thread) {
    workers = limit = 1;
    options.reactor_mode.value = ReactorMode::workers;
    return {};
  }
  plan.follows_quota = workers == workers_auto;
  if (plan.follows_quota) workers = available_parallelism();
  if (limit == workers_limit_auto) {
    limit = plan.follows_quota ? std::max(workers, std::min(affinity_processors(), 4 * workers)) : workers;
  }
  if (plan.follows_quota) workers = std::min(workers, limit);
  if (workers <= limit) return {};
  return above_limit(options);
}

/// Runs a function on a thread of the pool. Nobody waits for it.
template <class F>
class PoolCall final : public reactor::Operation {
 public:
  explicit PoolCall(F function) : function_(std::move(function)) { abandon(); }
  int perform() noexcept override {
    function_();
    return 0;
  }

 private:
  F function_;
};

std::vector<std::unique_ptr<scheduler::Parker>> make_parkers(std::uint32_t workers,
                                                             const std::vector<Ref<reactor::Driver>>& drivers,
                                                             Monitor& monitor, const Ref<Timekeeper>& keeper) {
  std::vector<std::unique_ptr<scheduler::Parker>> parkers;
  for (std::uint32_t i = 0; i < workers; ++i) {
    parkers.push_back(make_worker_parker(drivers.empty() ? Ref<reactor::Driver>() : drivers[i], monitor, keeper));
  }
  return parkers;
}

}  // namespace

RuntimeCore* RuntimeCore::current() noexcept { return current_core; }

RuntimeCore* RuntimeCore::set_current(RuntimeCore* core) noexcept {
  seam::set_current_timekeeper(core == nullptr ? nullptr : core->keeper().get());
  return std::exchange(current_core, core);
}

Result<Ref<RuntimeCore>> RuntimeCore::start(RuntimePlan plan) {
  if (auto resolved = resolve_workers(plan); !resolved) return std::move(resolved).error();
  auto drivers = make_drivers_of_best_backend(plan);
  if (!drivers) return std::move(drivers).error();
  auto core = Ref<RuntimeCore>::adopt(
      new RuntimeCore(std::move(plan), std::move(drivers->reactor), std::move(drivers->workers)));
  core->count_threads_as_active();
  try {
    if (!core->current_thread_) core->start_threads();
  } catch (const std::system_error& error) {
    core->forget_threads();
    return Error(error.code(), "start the threads of the runtime");
  }
  if (auto started = core->start_control(); !started) {
    core->shutdown();
    return std::move(started).error();
  }
  return core;
}

RuntimeCore::RuntimeCore(RuntimePlan plan, Ref<reactor::Driver> reactor_driver,
                         std::vector<Ref<reactor::Driver>> drivers)
    : plan_(std::move(plan)),
      reactor_driver_(std::move(reactor_driver)),
      worker_drivers_(std::move(drivers)),
      blocking_pool_(make_ref<BlockingPool>(
          options().blocking_threads.value, std::chrono::milliseconds(options().blocking_keep_alive_ms.value),
          [this] {
            set_current(this);
            if (plan_.hooks.on_thread_start) plan_.hooks.on_thread_start();
          },
          plan_.hooks.on_thread_stop)),
      monitor_(reactor_driver_, worker_drivers_),
      scheduler_(make_ref<scheduler::Scheduler>(
          make_parkers(options().workers_limit.value, worker_drivers_, monitor_, keeper()), plan_.hooks,
          scheduler::Measures(options().poll_sample.value, options().schedule_latency.value))),
      worker_count_(*scheduler_, plan_.follows_quota),
      reactor_thread_(reactor_driver_, monitor_),
      blocking_places_(options().blocking_queue.value),
      configuration_(options()) {
  give_operations_to(*reactor_driver_);
  for (const auto& driver : worker_drivers_) {
    if (driver.get() != reactor_driver_.get()) give_operations_to(*driver);
  }
  if (plan_.is_current_thread) current_thread_.emplace(*scheduler_, reactor_driver_);
  scheduler_->set_active_workers(options().workers.value);
  monitor_.watch(*scheduler_, worker_count_);
}

void RuntimeCore::give_operations_to(reactor::Driver& driver) {
  if (keeper()) {
    driver.set_operations(make_counted_operations(blocking_pool_, keeper()));
  } else if (options().backend.value == Backend::epoll) {
    driver.set_operations(blocking_pool_);
  } else {
    operation_rings_.push_back(reactor::make_operation_ring(operation_ring_options(options()), blocking_pool_, driver));
    driver.set_operations(operation_rings_.back());
  }
}

// On a thread of the pool.
void RuntimeCore::substitute(std::uint32_t worker) {
  reactor::Driver* const before =
      reactor::Driver::set_current(worker_drivers_.empty() ? reactor_driver_.get() : worker_drivers_[worker].get());
  scheduler_->substitute(worker);
  reactor::Driver::set_current(before);
}

void RuntimeCore::start_threads() {
  scheduler_->set_substitutes([this](std::uint32_t worker) {
    try {
      const auto call = [this, worker] { substitute(worker); };
      blocking_pool_->submit(make_ref<PoolCall<decltype(call)>>(call));
    } catch (const std::bad_alloc&) {  // then the others see to it, see block_in_place()
    }
  });
  reactor_thread_.start();
  try {
    scheduler_->start(plan_.thread_name, [this](std::uint32_t worker) {
      set_current(this);
      reactor::Driver::set_current(worker_drivers_.empty() ? reactor_driver_.get() : worker_drivers_[worker].get());
    });
  } catch (...) {
    reactor_thread_.stop();
    throw;
  }
}

Result<void> RuntimeCore::start_control() {
  const auto address = ControlAddress::parse(options().control_listen.value);
  if (!address) return {};
  try {
    auto server = ControlServer::start(*address, *this);
    if (!server) return std::move(server).error();
    control_ = *std::move(server);
    log(LogLevel::info, "control endpoint on " + control_address());
    return {};
  } catch (const std::system_error& error) {
    return Error(error.code(), "start the thread of the control endpoint");
  }
}

// A current-thread runtime has but the one that is inside of block_on(): between two of them time stands still.
void RuntimeCore::count_threads_as_active() {
  for (std::uint32_t i = 0; keeper() && i < thread_count(); ++i) keeper()->begin();
}

std::uint32_t RuntimeCore::thread_count() const noexcept {
  return plan_.is_current_thread ? 1 : options().workers_limit.value + 1;
}

void RuntimeCore::forget_threads() {
  for (std::uint32_t i = 0; keeper() && i < thread_count(); ++i) keeper()->release();
}

void RuntimeCore::on_blocking_end() noexcept {
  if (current_thread_) reactor_driver_->wake();  // drain() may wait for it
}

RuntimeCounters RuntimeCore::counters() {
  RuntimeCounters counters;
  counters.tasks = scheduler_->alive_tasks();
  counters.timers = reactor_driver_->armed_timers();
  counters.sources = reactor_driver_->registered_sources();
  for (const auto& driver : worker_drivers_) {
    if (driver.get() == reactor_driver_.get()) continue;
    counters.timers += driver->armed_timers();
    counters.sources += driver->registered_sources();
  }
  for (const auto& ring : operation_rings_) counters.operations += ring->unfinished();
  counters.blocking = blocking_pool_->unfinished();
  return counters;
}

Metrics RuntimeCore::metrics() {
  const Instant now = seam::now();
  Metrics metrics;
  metrics.period = now - started_;
  metrics.backend = options().backend.value;
  metrics.reactor_mode = options().reactor_mode.value;
  metrics.scheduler = scheduler_->metrics();
  for (std::uint32_t id = 0; id < scheduler_->workers(); ++id) {
    WorkerMetrics& worker = metrics.workers.emplace_back(scheduler_->metrics_of(id, now));
    worker.stalls = monitor_.stalls(id);
    worker.longest_poll = std::max(worker.longest_poll, monitor_.longest_poll(id));
  }
  for (const auto& driver : worker_drivers_) metrics.drivers.push_back(driver->metrics());
  if (!current_thread_) metrics.drivers.push_back(reactor_driver_->metrics());
  metrics.blocking = blocking_pool_->metrics();
  for (const auto& ring : operation_rings_) metrics.operations += ring->unfinished();
  return metrics;
}

std::vector<TaskSnapshot> RuntimeCore::tasks(std::size_t most) {
  // Who wakes a task that is being looked at leaves it to us to queue it: until then virtual time stands still.
  const Activity activity(keeper());
  return scheduler_->snapshots(most);
}

void RuntimeCore::shutdown() {
  is_shut_down_ = true;
  if (control_) control_->announce_end();
  if (current_thread_) end_tasks_here();
  end_threads();
}

ShutdownReport RuntimeCore::shutdown_within(Duration limit, Duration grace) {
  const Instant deadline = saturating_add(seam::now(), limit);
  is_shut_down_ = true;
  if (control_) control_->announce_end();
  if (grace > Duration::zero() && !drain(std::min(saturating_add(seam::now(), grace), deadline))) {
    scheduler_->note_what_waits();
  }
  if (current_thread_) end_tasks_here();
  seam::Thread finisher;
  try {
    finisher = seam::Thread("skua-shutdown", [core = Ref<RuntimeCore>::share(this)] {
      core->end_threads();
      const seam::Lock lock(core->end_mutex_);
      core->has_ended_ = true;
      core->end_changed_.notify_all();
    });
  } catch (const std::system_error& error) {
    log(LogLevel::warning, std::string("no thread left to watch the time of a shutdown: ") + error.what());
    end_threads();
    return ShutdownReport{true, scheduler_->refused_tasks(), counters()};
  }
  bool is_complete = false;
  {
    const seam::Lock lock(end_mutex_);
    while (!has_ended_ && seam::now() < deadline) end_changed_.wait_until(end_mutex_, deadline);
    is_complete = has_ended_;
  }
  is_complete ? finisher.join() : finisher.detach();
  return ShutdownReport{is_complete, scheduler_->refused_tasks(), counters()};
}

bool RuntimeCore::drain(Instant deadline) {
  if (!current_thread_) return scheduler_->drain(deadline);
  const EnteredRuntime entered(*this);
  return CurrentThread::Turn(*current_thread_).run_until_empty(deadline);
}

// What the destroyed futures do is done as in a task.
void RuntimeCore::end_tasks_here() {
  const EnteredRuntime entered(*this);
  scheduler_->shutdown_here();
}

// Those that were started, whichever these are.
void RuntimeCore::end_threads() {
  blocking_places_.admission().close();
  if (!current_thread_) scheduler_->shutdown();
  reactor_thread_.stop();
  for (const auto& ring : operation_rings_) ring->shutdown();
  blocking_pool_->shutdown();
  for (const auto& driver : worker_drivers_) driver->shutdown();
  reactor_driver_->shutdown();
  if (control_) control_->stop();  // after all that may have to be waited for: until then it can tell what that is
  scheduler_->forget_refused_tasks();
  forget_threads();  // last: no time passes meanwhile
}

EnteredRuntime::EnteredRuntime(RuntimeCore& core) noexcept
    : core_before_(RuntimeCore::set_current(&core)),
      driver_before_(reactor::Driver::set_current(&core.reactor_driver())) {}

EnteredRuntime::~EnteredRuntime() {
  RuntimeCore::set_current(core_before_);
  reactor::Driver::set_current(driver_before_);
}

}  // namespace skua
