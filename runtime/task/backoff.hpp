// Backoff: how long to wait between one try and the next, and when to give up. For retry().
//
//   Backoff().first(50ms).longest(10s).tries(8).total(1min)
//
// Exponential with full jitter: the n-th wait is drawn evenly between 0 and min(longest, first * 2^(n-1)). So those who
// failed together do not come back together, which a fixed wait makes sure of (M. Brooker, "Exponential Backoff And
// Jitter", AWS Architecture Blog, 2015, where full jitter does best).
#pragma once

#include <skua/core/clock.hpp>
#include <skua/core/random.hpp>

#include <chrono>
#include <cstdint>

namespace skua {

/// A value: copy it, give it to any number of retry().
class Backoff {
 public:
  /// 100 ms, doubled up to 10 s; 5 tries; any time.
  Backoff() = default;

  /// The bound of the first wait.
  template <class Rep, class Period>
  Backoff& first(std::chrono::duration<Rep, Period> wait) noexcept {
    first_ = saturating_duration(wait);
    return *this;
  }
  /// The bound of every wait.
  template <class Rep, class Period>
  Backoff& longest(std::chrono::duration<Rep, Period> wait) noexcept {
    longest_ = saturating_duration(wait);
    return *this;
  }
  /// How often it is tried, the first time included; at least once. `unlimited` is no limit.
  Backoff& tries(std::uint32_t count) noexcept {
    tries_ = count;
    return *this;
  }
  static constexpr std::uint32_t unlimited = ~std::uint32_t{0};
  /// No try begins later than so long after the first one did. One that is going on is not cut off: for that,
  /// timeout().
  template <class Rep, class Period>
  Backoff& total(std::chrono::duration<Rep, Period> time) noexcept {
    total_ = saturating_duration(time);
    return *this;
  }

  /// True if another try may follow `tried` of them.
  bool allows_more_than(std::uint32_t tried) const noexcept { return tries_ == unlimited || tried < tries_; }
  /// When the last try may begin if the first began at `start`.
  Instant last_start(Instant start) const noexcept { return saturating_add(start, total_); }
  /// The longest that the wait after `tried` tries may be.
  Duration bound(std::uint32_t tried) const noexcept;
  /// The wait after `tried` tries: drawn from [0, bound(tried)].
  Duration draw(std::uint32_t tried, seam::Random& random) const noexcept;

 private:
  Duration first_ = std::chrono::milliseconds(100);
  Duration longest_ = std::chrono::seconds(10);
  Duration total_ = Duration::max();
  std::uint32_t tries_ = 5;
};

}  // namespace skua
