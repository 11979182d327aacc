#include <skua/blocking/counted_operations.hpp>
#include <skua/driver_parker.hpp>
#include <skua/reactor/operation_ring.hpp>
#include <skua/runtime_core.hpp>

#include <algorithm>
#include <chrono>
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
  ring.most_threads = std::max(1U, options.blocking_threads.value / options.workers.value);
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

Result<Drivers> make_drivers(const Options& options, const Ref<Timekeeper>& keeper) {
  Drivers drivers;
  auto reactor = make_driver(options, keeper);
  if (!reactor) return std::move(reactor).error();
  drivers.reactor = *std::move(reactor);
  if (options.reactor_mode.value == ReactorMode::thread) return drivers;
  for (std::uint32_t i = 0; i < options.workers.value; ++i) {
    auto driver = make_driver(options, keeper);
    if (!driver) return std::move(driver).error();
    drivers.workers.push_back(*std::move(driver));
  }
  return drivers;
}

// Resolves Backend::automatic: one back end for all drivers, io_uring if the kernel gives a ring to each of them.
Result<Drivers> make_drivers_of_best_backend(Options& options, const Ref<Timekeeper>& keeper) {
  if (options.backend.value != Backend::automatic) return make_drivers(options, keeper);
  options.backend.value = Backend::io_uring;
  auto drivers = make_drivers(options, keeper);
  if (drivers) return drivers;
  reactor::warn_of_refused_ring(drivers.error());
  options.backend.value = Backend::epoll;
  return make_drivers(options, keeper);
}

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
  seam::set_current_timekeeper(core == nullptr ? nullptr : core->keeper_.get());
  return std::exchange(current_core, core);
}

Result<Ref<RuntimeCore>> RuntimeCore::start(const Options& requested, const Ref<Timekeeper>& keeper) {
  Options options = requested;
  if (options.workers.value == workers_auto) options.workers.value = available_parallelism();

  auto drivers = make_drivers_of_best_backend(options, keeper);
  if (!drivers) return std::move(drivers).error();
  auto core = Ref<RuntimeCore>::adopt(
      new RuntimeCore(std::move(options), keeper, std::move(drivers->reactor), std::move(drivers->workers)));
  try {
    core->start_threads();
  } catch (const std::system_error& error) {
    return Error(error.code(), "start the threads of the runtime");
  }
  return core;
}

RuntimeCore::RuntimeCore(Options options, Ref<Timekeeper> keeper, Ref<reactor::Driver> reactor_driver,
                         std::vector<Ref<reactor::Driver>> drivers)
    : options_(std::move(options)),
      keeper_(std::move(keeper)),
      reactor_driver_(std::move(reactor_driver)),
      worker_drivers_(std::move(drivers)),
      blocking_pool_(make_ref<BlockingPool>(options_.blocking_threads.value,
                                            std::chrono::milliseconds(options_.blocking_keep_alive_ms.value),
                                            [this] { set_current(this); })),
      monitor_(reactor_driver_, worker_drivers_),
      scheduler_(
          make_ref<scheduler::Scheduler>(make_parkers(options_.workers.value, worker_drivers_, monitor_, keeper_))),
      reactor_thread_(reactor_driver_, monitor_) {
  give_operations_to(*reactor_driver_);
  for (const auto& driver : worker_drivers_) give_operations_to(*driver);
  monitor_.watch(*scheduler_);
}

void RuntimeCore::give_operations_to(reactor::Driver& driver) {
  if (keeper_) {
    driver.set_operations(make_counted_operations(blocking_pool_, keeper_));
  } else if (options_.backend.value == Backend::epoll) {
    driver.set_operations(blocking_pool_);
  } else {
    operation_rings_.push_back(reactor::make_operation_ring(operation_ring_options(options_), blocking_pool_, driver));
    driver.set_operations(operation_rings_.back());
  }
}

void RuntimeCore::start_threads() {
  count_threads_as_active();
  try {
    reactor_thread_.start();
    scheduler_->start("skua-worker", [this](std::uint32_t worker) {
      set_current(this);
      reactor::Driver::set_current(worker_drivers_.empty() ? reactor_driver_.get() : worker_drivers_[worker].get());
    });
  } catch (...) {
    reactor_thread_.stop();
    forget_threads();
    throw;
  }
}

void RuntimeCore::count_threads_as_active() {
  for (std::uint32_t i = 0; keeper_ && i < options_.workers.value + 1; ++i) keeper_->begin();
}

void RuntimeCore::forget_threads() {
  for (std::uint32_t i = 0; keeper_ && i < options_.workers.value + 1; ++i) keeper_->release();
}

void RuntimeCore::shutdown() {
  scheduler_->shutdown();
  reactor_thread_.stop();
  for (const auto& ring : operation_rings_) ring->shutdown();
  blocking_pool_->shutdown();
  for (const auto& driver : worker_drivers_) driver->shutdown();
  reactor_driver_->shutdown();
  forget_threads();  // last: no time passes meanwhile
}

}  // namespace skua
