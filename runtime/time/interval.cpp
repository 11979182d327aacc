#include <skua/core/assert.hpp>
#include <skua/time/interval.hpp>

namespace skua {

Interval::Interval(Instant first, Duration period) noexcept : sleep_(first), period_(period) {
  if (period <= Duration::zero())
    fail_fast("interval() was given a period that is not positive", "Give it at least 1 ns");
}

Interval::Interval(Interval&& other) noexcept
    : sleep_(other.sleep_.deadline()), period_(other.period_), missed_ticks_(other.missed_ticks_) {}

Interval& Interval::operator=(Interval&& other) noexcept {
  sleep_.reset(other.sleep_.deadline());
  period_ = other.period_;
  missed_ticks_ = other.missed_ticks_;
  return *this;
}

Poll<Instant> Interval::Tick::poll(Context& context) {
  if (interval_.sleep_.poll(context).is_pending()) return pending;
  return interval_.take_tick(Clock::now());
}

Instant Interval::take_tick(Instant now) noexcept {
  const Instant due = sleep_.deadline();
  Instant next = saturating_add(due, period_);
  if (next <= now) {
    if (missed_ticks_ == MissedTicks::delay) next = saturating_add(now, period_);
    if (missed_ticks_ == MissedTicks::skip) next = saturating_add(now, period_ - since_last_multiple(due, now));
  }
  sleep_.reset(next);
  return due;
}

// Unsigned: the difference of two instants may be more than a Duration holds.
Duration Interval::since_last_multiple(Instant due, Instant now) const noexcept {
  const auto passed = static_cast<std::uint64_t>(now.time_since_epoch().count()) -
                      static_cast<std::uint64_t>(due.time_since_epoch().count());
  return Duration(static_cast<Duration::rep>(passed % static_cast<std::uint64_t>(period_.count())));
}

}  // namespace skua
