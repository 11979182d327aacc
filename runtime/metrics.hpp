// Metrics: what a runtime has done and is doing, in numbers.
//
//   const Metrics before = runtime.metrics();
//   ...
//   const Metrics during = runtime.metrics() - before;
//   double busy = during.workers[0].busy / during.period;   // as double, of 1
//
// The workers count as they go, each for itself, with plain stores; taking a snapshot reads what they have counted, and
// stops nobody. So it may be taken by any thread, at any time, also when all workers are stuck. Each number is of
// another moment. Those that are counted never go down; what they count is told in docs/metrics.md, in the words that
// to_prometheus() has for Prometheus.
#pragma once

#include <skua/blocking/blocking_metrics.hpp>
#include <skua/core/clock.hpp>
#include <skua/options.hpp>
#include <skua/reactor/driver_metrics.hpp>
#include <skua/scheduler/worker_metrics.hpp>

#include <cstdint>
#include <source_location>
#include <span>
#include <string>
#include <vector>

namespace skua {

struct Metrics {
  /// Since the runtime started; of a difference: between its two snapshots.
  Duration period{0};
  Backend backend{};
  ReactorMode reactor_mode{};

  SchedulerMetrics scheduler;
  std::vector<WorkerMetrics> workers;
  /// In ReactorMode::workers that of each worker, in their order. Then that of the reactor thread; a current-thread
  /// runtime has one for both.
  std::vector<DriverMetrics> drivers;
  BlockingMetrics blocking;
  std::uint64_t operations = 0;  // requests to io_uring for files that have not ended; of the moment

  std::uint64_t alive_tasks() const noexcept { return scheduler.spawned - scheduler.ended; }
  /// The sum over all workers; of what is a maximum or a mean, the greatest.
  WorkerMetrics all_workers() const noexcept;
  DriverMetrics all_drivers() const noexcept;
};

/// What was counted between two snapshots of a runtime, with `later`'s numbers of the moment.
/// `longest_poll` cannot be taken apart: it is that since the start.
Metrics operator-(Metrics later, const Metrics& earlier);

/// Tasks that are alive and were spawned at one place.
struct SpawnSite {
  std::source_location at;
  std::uint64_t tasks = 0;
  std::uint64_t bytes = 0;  // of their first allocations: header, root frame or future, result
};

/// The text format of Prometheus, version 0.0.4. `sites`, if there are any, as skua_spawn_site_tasks and -_bytes.
std::string to_prometheus(const Metrics& metrics, std::span<const SpawnSite> sites = {});

}  // namespace skua
