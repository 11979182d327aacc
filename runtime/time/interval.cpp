#include <skua/core/assert.hpp>
#include <skua/time/interval.hpp>

namespace skua {

Interval::Interval(Instant first, Duration period) noexcept : next_(first), period_(period) {
  if (period <= Duration::zero())
    fail_fast("interval() was given a period that is not positive", "Give it at least 1 ns");
}

Poll<Instant> Interval::Tick::poll(Context& context) {
  if (sleep_.poll(context).is_pending()) return pending;
  return interval_.take_tick(seam::now());
}

Instant Interval::take_tick(Instant now) noexcept {
  const Instant due = next_;
  next_ = saturating_add(due, period_);
  if (next_ <= now) {
    if (missed_ticks_ == MissedTicks::delay) next_ = saturating_add(now, period_);
    if (missed_ticks_ == MissedTicks::skip) next_ = saturating_add(now, period_ - (now - due) % period_);
  }
  return due;
}

}  // namespace skua
