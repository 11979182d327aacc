// The clock seam: monotonic time, the only source of time in the runtime.
//
// Clock::now() is what tasks go by: a test may give a runtime a VirtualClock instead of the real one. seam::now() is
// real always: for how long a worker computes, for how long a thread sleeps.
#pragma once

#include <skua/core/atomic.hpp>

#include <chrono>
#include <cstdint>

namespace skua {

class Timekeeper;

/// A point in monotonic time (CLOCK_MONOTONIC: it stands still while the machine is suspended).
using Instant = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;
using Duration = std::chrono::nanoseconds;

namespace seam {

inline Instant now() noexcept { return std::chrono::steady_clock::now(); }

#if !defined(SKUA_MODEL)
/// How many virtual clocks there are in the process.
inline constinit Atomic<std::uint32_t> virtual_clocks{0};
#endif
/// That of the virtual clock that this thread goes by; without one as now().
Instant now_of_this_thread() noexcept;
/// Makes it this thread's (null: none, it goes by real time).
void set_current_timekeeper(Timekeeper* keeper) noexcept;

}  // namespace seam

/// The time of this thread's runtime: monotonic time, or that of the VirtualClock it was given. Outside of runtimes:
/// monotonic time.
struct Clock {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = Instant;
  static constexpr bool is_steady = true;
  static Instant now() noexcept {
#if !defined(SKUA_MODEL)
    // relaxed: who goes by a virtual clock has been told of it after it was counted
    if (seam::virtual_clocks.load(std::memory_order_relaxed) != 0) [[unlikely]]
      return seam::now_of_this_thread();
#endif
    return seam::now();
  }
};

/// `start + delay` that stops at the ends of the range instead of overflowing; a negative delay (or one that is no
/// number) is `start`. Accepts any duration, also std::chrono::hours::max().
template <class Rep, class Period>
constexpr Instant saturating_add(Instant start, std::chrono::duration<Rep, Period> delay) noexcept {
  using Seconds = std::chrono::duration<double>;
  if (!(delay > delay.zero())) return start;
  // From before the clock's beginning to its end is longer than a Duration.
  const Duration room = start > Instant() ? Instant::max() - start : Duration::max();
  // In double first: duration_cast itself would overflow for durations beyond 292 years.
  if (std::chrono::duration_cast<Seconds>(delay).count() >= std::chrono::duration_cast<Seconds>(room).count()) {
    return start + room;
  }
  return start + std::chrono::ceil<Duration>(delay);
}

/// `length` in nanoseconds, likewise: at most 292 years, at least none.
template <class Rep, class Period>
constexpr Duration saturating_duration(std::chrono::duration<Rep, Period> length) noexcept {
  return saturating_add(Instant(), length).time_since_epoch();
}

}  // namespace skua
