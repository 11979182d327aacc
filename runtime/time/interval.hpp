// interval(): ticks at regular times.
//
//   Interval every_second = interval(1s);
//   for (;;) { co_await every_second.tick(); ... }     // the first tick is at once
#pragma once

#include <skua/core/clock.hpp>
#include <skua/core/future.hpp>
#include <skua/time/sleep.hpp>

#include <optional>

namespace skua {

/// What happens to ticks whose time passed while nobody was waiting.
enum class MissedTicks {
  burst,  // they come at once, one after the other, until all are made up for
  delay,  // the next comes a period after the late one
  skip,   // they are left out; the next comes at the next multiple of the period
};

class Interval {
 public:
  Interval(Instant first, Duration period) noexcept;

  void set_missed_ticks(MissedTicks behaviour) noexcept { missed_ticks_ = behaviour; }
  Duration period() const noexcept { return period_; }

  /// Ready at the next tick with the time it was due. Cancel safety: a tick that was not awaited to its end is not
  /// lost.
  class [[nodiscard]] Tick {
   public:
    explicit Tick(Interval& interval) noexcept : interval_(interval), sleep_(interval.next_) {}
    Poll<Instant> poll(Context& context);

   private:
    Interval& interval_;
    Sleep sleep_;
  };
  Tick tick() noexcept { return Tick(*this); }

 private:
  Instant take_tick(Instant now) noexcept;

  Instant next_;
  Duration period_;
  MissedTicks missed_ticks_ = MissedTicks::burst;
};

/// Ticks now and then every `period`. A period that is not positive ends the program.
template <class Rep, class Period>
Interval interval(std::chrono::duration<Rep, Period> period) noexcept {
  const Instant now = seam::now();
  return Interval(now, saturating_add(now, period) - now);
}

}  // namespace skua
