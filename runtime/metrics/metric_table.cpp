#include <skua/metrics/metric_table.hpp>

namespace skua {

namespace {

using enum MetricType;

template <class Of>
constexpr MetricEntry<Of> entry(std::string_view name, MetricType type, std::uint64_t Of::* number,
                                std::string_view help) {
  return {.name = name, .type = type, .help = help, .number = number};
}
template <class Of>
constexpr MetricEntry<Of> entry(std::string_view name, MetricType type, Duration Of::* duration,
                                std::string_view help) {
  return {.name = name, .type = type, .help = help, .duration = duration};
}
template <class Of>
constexpr MetricEntry<Of> entry(std::string_view name, DurationHistogram Of::* counts, std::string_view help) {
  return {.name = name, .type = histogram, .help = help, .histogram = counts};
}
template <class Of>
constexpr MetricEntry<Of> entry(std::string_view name, bool Of::* flag, std::string_view help) {
  return {.name = name, .type = gauge, .help = help, .flag = flag};
}

constexpr MetricEntry<WorkerMetrics> of_workers[] = {
    entry("skua_worker_busy_seconds_total", counter, &WorkerMetrics::busy, "Time the worker was awake."),
    entry("skua_worker_polls_total", counter, &WorkerMetrics::polls, "Tasks polled."),
    entry("skua_worker_polls_to_end_total", counter, &WorkerMetrics::polls_to_end, "Polls that ended their task."),
    entry("skua_worker_lifo_polls_total", counter, &WorkerMetrics::lifo_polls,
          "Polls of a task that came from the LIFO slot: woken last, its data in the cache."),
    entry("skua_worker_local_schedules_total", counter, &WorkerMetrics::local_schedules,
          "Tasks that the worker woke or spawned, and queued for itself."),
    entry("skua_worker_overflows_total", counter, &WorkerMetrics::overflows,
          "Times the worker's ring was full, and half of it went to the inject queue."),
    entry("skua_worker_inject_tasks_total", counter, &WorkerMetrics::inject_tasks,
          "Tasks taken from the inject queue."),
    entry("skua_worker_steal_attempts_total", counter, &WorkerMetrics::steal_attempts,
          "Rings of other workers looked at, for want of work."),
    entry("skua_worker_steals_total", counter, &WorkerMetrics::steals, "Times that brought tasks."),
    entry("skua_worker_stolen_tasks_total", counter, &WorkerMetrics::stolen_tasks,
          "Tasks that were brought: each one a hop to another thread."),
    entry("skua_worker_forced_yields_total", counter, &WorkerMetrics::forced_yields,
          "Polls of tasks that had used up their budget, and were queued again to let others run."),
    entry("skua_worker_looks_total", counter, &WorkerMetrics::looks,
          "Looks at the driver, for events and timers; each sleep ends with one."),
    entry("skua_worker_parks_total", counter, &WorkerMetrics::parks, "Times the worker went to sleep."),
    entry("skua_worker_parks_without_work_total", counter, &WorkerMetrics::parks_without_work,
          "Times it went to sleep having polled nothing since the time before."),
    entry("skua_worker_wakes_sent_total", counter, &WorkerMetrics::wakes_sent,
          "Sleeping workers woken, because more work waited here than this worker would run next."),
    entry("skua_worker_wakes_avoided_total", counter, &WorkerMetrics::wakes_avoided,
          "Times work waited here and nobody had to be woken: a worker was searching already, or none slept."),
    entry("skua_worker_loans_total", counter, &WorkerMetrics::loans,
          "Times block_in_place() gave the worker to another thread."),
    entry(
        "skua_worker_stalls_total", counter, &WorkerMetrics::stalls,
        "Polls that went on for 100 ms and more. Seen by the monitor, which runtimes with two workers and more have."),
    entry("skua_worker_queue_depth", gauge, &WorkerMetrics::queue_depth,
          "Tasks that wait in the worker's ring and LIFO slot."),
    entry("skua_worker_sleeping", &WorkerMetrics::is_sleeping, "1 while the worker sleeps."),
    entry("skua_worker_mean_poll_seconds", maximum, &WorkerMetrics::mean_poll,
          "Moving average of the duration of a poll, while the worker is too busy to sleep; 0: it never was."),
    entry("skua_worker_longest_poll_seconds", maximum, &WorkerMetrics::longest_poll,
          "The longest poll since the start, of those that were timed or that the monitor saw."),
    entry("skua_worker_since_look_seconds", maximum, &WorkerMetrics::since_look,
          "Time since the worker last looked at its driver; 0 while it sleeps. Grows while it is stuck in a poll."),
    entry("skua_poll_seconds", &WorkerMetrics::poll_times,
          "Duration of polls, of those that are timed: see option metrics.poll_sample."),
    entry("skua_schedule_latency_seconds", &WorkerMetrics::schedule_latency,
          "Time from a task's wake or spawn to its poll: see option metrics.schedule_latency."),
};

constexpr MetricEntry<SchedulerMetrics> of_scheduler[] = {
    entry("skua_tasks_spawned_total", counter, &SchedulerMetrics::spawned, "Tasks spawned."),
    entry("skua_tasks_ended_total", counter, &SchedulerMetrics::ended, "Tasks that have ended, in whatever way."),
    entry("skua_remote_schedules_total", counter, &SchedulerMetrics::remote_schedules,
          "Tasks woken or spawned by threads that are no workers of the runtime: each one a hop to another thread."),
    entry("skua_remote_wakes_sent_total", counter, &SchedulerMetrics::remote_wakes,
          "Sleeping workers woken by those threads, or for what overflowed."),
    entry("skua_inject_queue_depth", gauge, &SchedulerMetrics::inject_depth,
          "Tasks that wait in the inject queue: of other threads, and overflown."),
};

constexpr MetricEntry<PollerMetrics> of_poller[] = {
    entry("skua_driver_waits_total", counter, &PollerMetrics::waits,
          "Sleeps in the kernel: io_uring_enter() or epoll_wait()."),
    entry("skua_driver_enters_total", counter, &PollerMetrics::enters,
          "Other system calls to submit or to fetch: io_uring_enter(), epoll_ctl(), epoll_wait() that does not wait."),
    entry("skua_driver_submissions_total", counter, &PollerMetrics::submissions,
          "Requests to watch a descriptor, or to end that, that the kernel took."),
    entry("skua_driver_completions_total", counter, &PollerMetrics::completions,
          "Entries that the kernel gave back: CQEs, or epoll events."),
    entry("skua_driver_cq_overflows_total", counter, &PollerMetrics::overflows,
          "Times a completion queue was found to be full: see option io_uring.completion_entries."),
    entry("skua_driver_cq_losses_total", counter, &PollerMetrics::losses,
          "Times the kernel had no memory to keep completions that did not fit; they are asked for again."),
    entry("skua_driver_signals_total", counter, &PollerMetrics::signals,
          "System calls of other threads to end a sleep of the driver's thread."),
};

constexpr MetricEntry<DriverMetrics> of_driver[] = {
    entry("skua_driver_events_total", counter, &DriverMetrics::events, "Changes of readiness reported."),
    entry("skua_driver_harvests_total", counter, &DriverMetrics::harvests,
          "Times the reactor thread turned the driver, because its worker was stuck in a poll."),
    entry("skua_driver_timers_armed_total", counter, &DriverMetrics::timers_armed,
          "Timers armed, with those that were moved to another time."),
    entry("skua_driver_timers_fired_total", counter, &DriverMetrics::timers_fired, "Timers that fired."),
    entry("skua_driver_timers_cancelled_total", counter, &DriverMetrics::timers_cancelled,
          "Timers disarmed before they fired, with those that were moved to another time."),
    entry("skua_driver_sources_added_total", counter, &DriverMetrics::sources_added, "Descriptors watched."),
    entry("skua_driver_sources_removed_total", counter, &DriverMetrics::sources_removed,
          "Descriptors that are not watched any more."),
    entry("skua_driver_timers", gauge, &DriverMetrics::timers, "Timers that are armed."),
    entry("skua_driver_sources", gauge, &DriverMetrics::sources,
          "Descriptors that are watched, or that the kernel has not let go of."),
};

constexpr MetricEntry<BlockingMetrics> of_blocking[] = {
    entry("skua_blocking_calls_total", counter, &BlockingMetrics::calls, "Calls done by the blocking pool."),
    entry("skua_blocking_withdrawn_total", counter, &BlockingMetrics::withdrawn,
          "Calls taken out of its queue before they began: nobody waited for them any longer."),
    entry("skua_blocking_refused_total", counter, &BlockingMetrics::refused,
          "Calls not done: the pool was closed, or the system had no thread left."),
    entry("skua_blocking_threads_started_total", counter, &BlockingMetrics::threads_started, "Threads started."),
    entry("skua_blocking_threads", gauge, &BlockingMetrics::threads, "Threads of the blocking pool."),
    entry("skua_blocking_idle_threads", gauge, &BlockingMetrics::idle_threads, "Those that wait for a call."),
    entry("skua_blocking_queue_depth", gauge, &BlockingMetrics::queue_depth, "Calls that wait for a thread."),
};

constexpr ComputedMetric computed[] = {
    {"skua_info", gauge, "1; the labels say what the runtime was started with."},
    {"skua_workers", gauge, "Workers."},
    {"skua_tasks", gauge, "Tasks that are alive: spawned and not ended."},
    {"skua_operations", gauge, "Requests to io_uring for files that have not ended."},
    {"skua_spawn_site_tasks", gauge, "Tasks that are alive, by the place where they were spawned."},
    {"skua_spawn_site_bytes", gauge, "Their first allocations: header, root frame or future, result."},
};

}  // namespace

std::span<const MetricEntry<WorkerMetrics>> worker_metrics() noexcept { return of_workers; }
std::span<const MetricEntry<SchedulerMetrics>> scheduler_metrics() noexcept { return of_scheduler; }
std::span<const MetricEntry<PollerMetrics>> poller_metrics() noexcept { return of_poller; }
std::span<const MetricEntry<DriverMetrics>> driver_metrics() noexcept { return of_driver; }
std::span<const MetricEntry<BlockingMetrics>> blocking_metrics() noexcept { return of_blocking; }
std::span<const ComputedMetric> computed_metrics() noexcept { return computed; }

}  // namespace skua
