// WorkerMetrics: what a worker has done, and WorkerCounters, in which it keeps count.
//
// The counters stand on cache lines of their own and are written by the thread that has the worker, with plain stores
// (core/counter.hpp): nobody is disturbed until somebody reads. Their meaning is told once, in runtime/metrics.hpp and
// docs/metrics.md.
#pragma once

#include <skua/core/counter.hpp>
#include <skua/core/duration_histogram.hpp>
#include <skua/scheduler/busy_clock.hpp>

namespace skua {

struct WorkerMetrics {
  // Counted since the start
  std::uint64_t polls = 0;               // tasks polled
  std::uint64_t polls_to_end = 0;        // polls that ended their task
  std::uint64_t lifo_polls = 0;          // tasks that came from the LIFO slot
  std::uint64_t local_schedules = 0;     // tasks that this worker woke or spawned, for itself
  std::uint64_t overflows = 0;           // times the ring was full, and half of it went to the inject queue
  std::uint64_t inject_tasks = 0;        // tasks taken from the inject queue
  std::uint64_t steal_attempts = 0;      // rings of others looked at
  std::uint64_t steals = 0;              // times that brought something
  std::uint64_t stolen_tasks = 0;        // tasks that were brought
  std::uint64_t forced_yields = 0;       // polls ended by an empty budget, with the task ready to go on
  std::uint64_t looks = 0;               // looks at the driver
  std::uint64_t parks = 0;               // times the worker went to sleep
  std::uint64_t parks_without_work = 0;  // of these: nothing was polled since the one before
  std::uint64_t wakes_sent = 0;          // sleeping workers woken for work that waited here
  std::uint64_t wakes_avoided = 0;       // work waited, and nobody had to be woken: somebody searches, or none sleeps
  std::uint64_t loans = 0;               // times the worker was lent, by block_in_place()
  std::uint64_t stalls = 0;              // polls that went on for 100 ms and more, as seen by the monitor
  Duration busy{0};                      // awake
  DurationHistogram poll_times;          // of the polls that are timed
  DurationHistogram schedule_latency;    // from wake or spawn to poll, if that is measured

  // Of the moment
  std::uint64_t queue_depth = 0;  // tasks that wait in ring and LIFO slot
  bool is_sleeping = false;
  Duration mean_poll{0};     // moving average, while the worker is busy
  Duration longest_poll{0};  // since the start, of those that were timed or that the monitor saw
  Duration since_look{0};    // since the last look at the driver; zero while it sleeps
};

namespace scheduler {

struct alignas(seam::cache_line) WorkerCounters {
  Counter polls;
  Counter polls_to_end;
  Counter lifo_polls;
  Counter local_schedules;
  Counter overflows;
  Counter inject_tasks;
  Counter steal_attempts;
  Counter steals;
  Counter stolen_tasks;
  Counter forced_yields;
  Counter looks;
  Counter parks;
  Counter parks_without_work;
  Counter wakes_sent;
  Counter wakes_avoided;
  Counter loans;
  BusyClock busy;
  Counter mean_poll;     // ns
  Counter longest_poll;  // ns
  Counter looked_at;     // ns of the clock
  DurationCounts poll_times;
  DurationCounts schedule_latency;

  /// What is counted here; the rest is for who knows.
  WorkerMetrics read() const noexcept;
};

/// What threads that are no workers have done.
struct alignas(seam::cache_line) RemoteCounters {
  SharedCounter schedules;
  SharedCounter wakes_sent;
};

}  // namespace scheduler

/// Of a scheduler.
struct SchedulerMetrics {
  std::uint64_t spawned = 0;           // tasks, since the start
  std::uint64_t ended = 0;             // of these
  std::uint64_t remote_schedules = 0;  // tasks woken or spawned by threads that are no workers of this scheduler
  std::uint64_t remote_wakes = 0;      // workers that those woke
  std::uint64_t inject_depth = 0;      // tasks that wait in the inject queue
};

}  // namespace skua
