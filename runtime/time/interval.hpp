// interval(): ticks at regular times.
//
//   Interval every_second = interval(1s);
//   for (;;) { co_await every_second.tick(); ... }     // the first tick is at once
#pragma once

#include <skua/core/clock.hpp>
#include <skua/core/future.hpp>
#include <skua/time/sleep.hpp>

#include <chrono>

namespace skua {

/// What happens to ticks whose time passed while nobody was waiting.
enum class MissedTicks {
  burst,  // they come at once, one after the other, until all are made up for
  delay,  // the next comes a period after the late one
  skip,   // they are left out; the next comes at the next multiple of the period
};

class Interval {
 public:
  /// A period that is not positive ends the program.
  Interval(Instant first, Duration period) noexcept;
  /// Not while a tick is awaited.
  Interval(Interval&& other) noexcept;
  Interval& operator=(Interval&& other) noexcept;

  void set_missed_ticks(MissedTicks behaviour) noexcept { missed_ticks_ = behaviour; }
  Duration period() const noexcept { return period_; }

  /// The next tick comes a period from now, or at `next`, and the others a period after it. Also while one is awaited.
  void reset() { reset_at(saturating_add(Clock::now(), period_)); }
  void reset_at(Instant next) { sleep_.reset(next); }

  /// Ready at the next tick with the time it was due. Cancel safety: a tick that was not awaited to its end is not
  /// lost, and its timer stays: dropping and asking again, as in the loop around a select(), costs nothing.
  class [[nodiscard]] Tick {
   public:
    explicit Tick(Interval& interval) noexcept : interval_(interval) {}
    Poll<Instant> poll(Context& context);

   private:
    Interval& interval_;
  };
  Tick tick() noexcept { return Tick(*this); }

 private:
  Instant take_tick(Instant now) noexcept;
  Duration since_last_multiple(Instant due, Instant now) const noexcept;

  Sleep sleep_;  // until the next tick
  Duration period_;
  MissedTicks missed_ticks_ = MissedTicks::burst;
};

/// Ticks at `first` and then every `period`. A period that is not positive ends the program.
template <class Rep, class Period>
Interval interval_at(Instant first, std::chrono::duration<Rep, Period> period) noexcept {
  return Interval(first, saturating_duration(period));
}

/// Ticks now and then every `period`. A period that is not positive ends the program.
template <class Rep, class Period>
Interval interval(std::chrono::duration<Rep, Period> period) noexcept {
  return interval_at(Clock::now(), period);
}

}  // namespace skua
