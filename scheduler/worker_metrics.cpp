#include <skua/scheduler/worker_metrics.hpp>

namespace skua::scheduler {

namespace {
Duration nanoseconds(const Counter& counter) noexcept { return Duration(static_cast<Duration::rep>(counter.read())); }
}  // namespace

WorkerMetrics WorkerCounters::read() const noexcept {
  WorkerMetrics metrics;
  metrics.polls_to_end = polls_to_end.read();  // before polls: never more than those
  metrics.lifo_polls = lifo_polls.read();
  metrics.polls = polls.read();
  metrics.local_schedules = local_schedules.read();
  metrics.overflows = overflows.read();
  metrics.inject_tasks = inject_tasks.read();
  metrics.steal_attempts = steal_attempts.read();
  metrics.steals = steals.read();
  metrics.stolen_tasks = stolen_tasks.read();
  metrics.forced_yields = forced_yields.read();
  metrics.looks = looks.read();
  metrics.parks = parks.read();
  metrics.parks_without_work = parks_without_work.read();
  metrics.wakes_sent = wakes_sent.read();
  metrics.wakes_avoided = wakes_avoided.read();
  metrics.loans = loans.read();
  metrics.busy = busy.total();
  metrics.poll_times = poll_times.read();
  metrics.schedule_latency = schedule_latency.read();
  metrics.mean_poll = nanoseconds(mean_poll);
  metrics.longest_poll = nanoseconds(longest_poll);
  return metrics;
}

}  // namespace skua::scheduler
