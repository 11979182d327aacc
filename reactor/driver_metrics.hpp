// DriverMetrics: what a driver has done, and PollerCounters, in which its poller keeps count.
//
// The meaning of the numbers is told once, in runtime/metrics.hpp and docs/metrics.md.
#pragma once

#include <skua/core/counter.hpp>

#include <cstdint>
#include <string_view>

namespace skua {

/// Of one ring, or one epoll descriptor. Counted since the start.
struct PollerMetrics {
  std::uint64_t waits = 0;        // sleeps in the kernel: io_uring_enter() that waits, epoll_wait() with a time
  std::uint64_t enters = 0;       // other system calls: submissions, fetches, epoll_wait() without a time, epoll_ctl()
  std::uint64_t submissions = 0;  // requests that the kernel took: of a ring, of epoll_ctl()
  std::uint64_t completions = 0;  // entries that it gave back
  std::uint64_t overflows = 0;    // times a completion queue was found to have been too small
  std::uint64_t losses = 0;       // times the kernel had no memory to keep what did not fit
  std::uint64_t signals = 0;      // system calls by which other threads ended a sleep
};

/// Of a driver: its poller, its timers, its descriptors.
struct DriverMetrics {
  PollerMetrics poller;
  // Counted since the start
  std::uint64_t events = 0;        // readiness that was reported
  std::uint64_t harvests = 0;      // times the driver was turned for an owner that was stuck
  std::uint64_t timers_armed = 0;  // with those that were moved
  std::uint64_t timers_fired = 0;
  std::uint64_t timers_cancelled = 0;  // with those that were moved
  std::uint64_t sources_added = 0;     // descriptors
  std::uint64_t sources_removed = 0;
  // Of the moment
  std::uint64_t timers = 0;   // armed
  std::uint64_t sources = 0;  // watched, or not let go of by the kernel
};

namespace reactor {

/// Written by the poller's owner, but `signals`.
struct alignas(seam::cache_line) PollerCounters {
  Counter waits;
  Counter enters;
  Counter submissions;
  Counter completions;
  Counter overflows;
  Counter losses;
  alignas(seam::cache_line) SharedCounter signals;

  PollerMetrics read() const noexcept {
    PollerMetrics metrics;
    metrics.waits = waits.read();
    metrics.enters = enters.read();
    metrics.completions = completions.read();
    metrics.submissions = submissions.read();
    metrics.overflows = overflows.read();
    metrics.losses = losses.read();
    metrics.signals = signals.read();
    return metrics;
  }
};

}  // namespace reactor

}  // namespace skua
