// The clock seam: monotonic time, the only source of time in the runtime.
#pragma once

#include <chrono>

namespace skua {

/// A point in monotonic time (CLOCK_MONOTONIC: it stands still while the machine is suspended).
using Instant = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;
using Duration = std::chrono::nanoseconds;

namespace seam {

inline Instant now() noexcept { return std::chrono::steady_clock::now(); }

}  // namespace seam

/// What tasks go by.
struct Clock {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = Instant;
  static constexpr bool is_steady = true;
  static Instant now() noexcept { return seam::now(); }
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
