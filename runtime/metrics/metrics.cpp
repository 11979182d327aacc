#include <skua/metrics.hpp>
#include <skua/metrics/metric_table.hpp>

#include <algorithm>
#include <cstddef>

namespace skua {

WorkerMetrics Metrics::all_workers() const noexcept {
  WorkerMetrics sum;
  sum.is_sleeping = true;
  for (const WorkerMetrics& worker : workers) accumulate(sum, worker, worker_metrics());
  return sum;
}

DriverMetrics Metrics::all_drivers() const noexcept {
  DriverMetrics sum;
  for (const DriverMetrics& driver : drivers) {
    accumulate(sum, driver, driver_metrics());
    accumulate(sum.poller, driver.poller, poller_metrics());
  }
  return sum;
}

Metrics operator-(Metrics later, const Metrics& earlier) {
  later.period -= earlier.period;
  subtract(later.scheduler, earlier.scheduler, scheduler_metrics());
  subtract(later.blocking, earlier.blocking, blocking_metrics());
  // What came in between has done all it did since then.
  for (std::size_t i = 0; i < std::min(later.workers.size(), earlier.workers.size()); ++i) {
    subtract(later.workers[i], earlier.workers[i], worker_metrics());
  }
  for (std::size_t i = 0; i < std::min(later.drivers.size(), earlier.drivers.size()); ++i) {
    subtract(later.drivers[i], earlier.drivers[i], driver_metrics());
    subtract(later.drivers[i].poller, earlier.drivers[i].poller, poller_metrics());
  }
  return later;
}

}  // namespace skua
