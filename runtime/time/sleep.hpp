// sleep(): a future that is ready when a moment has come.
#pragma once

#include <skua/core/clock.hpp>
#include <skua/core/future.hpp>
#include <skua/core/ref.hpp>
#include <skua/reactor/driver.hpp>
#include <skua/reactor/timer_wheel.hpp>

#include <optional>
#include <utility>

namespace skua {

/// Ready at `deadline()` or up to a few hundred microseconds later, never earlier; and when its runtime has been shut
/// down. Polled twice however long it takes. On a worker or inside block_on(). Cancel safety: nothing to lose.
///
/// One that has a name can be awaited again and again, which is cheaper than another one for each turn of a loop:
///
///   Sleep idle = sleep(30s);
///   for (;;) {
///     const auto first = co_await select(stream.read(buffer), idle);
///     if (first.index() == 1) break;                                   // silent for 30 s
///     idle.reset(Clock::now() + 30s);
///   }
class [[nodiscard]] Sleep {
 public:
  explicit Sleep(Instant deadline) noexcept : deadline_(deadline) {}
  /// Only before the first poll, as with every future.
  Sleep(Sleep&& other) noexcept : deadline_(other.deadline_) { SKUA_ASSERT(!other.driver_); }
  ~Sleep() {
    if (driver_ && !entry_.has_fired()) driver_->cancel_timer(entry_);
  }

  Poll<void> poll(Context& context);
  /// As poll(), also when the task has used up its budget: for timeout().
  Poll<void> poll_without_budget(Context& context);
  Instant deadline() const noexcept { return deadline_; }

  /// From now on it is about `deadline`, whether it was pending or ready. Who waits is woken then, and need not poll
  /// again before; the pending task may be woken at the old time as well. To a later time, as that of a limit which is
  /// pushed on with each message, it writes one word: no lock, and the timer moves when it fires.
  void reset(Instant deadline);

 private:
  Poll<void> arm(Context& context);

  Instant deadline_;
  Instant armed_for_{};  // with driver_: what the timer is set to; not after deadline_
  reactor::TimerEntry entry_;
  Ref<reactor::Driver> driver_;  // set while the timer is armed there, or has fired
};

/// Sleeps for `duration`: any std::chrono type, any length (centuries are fine); zero or negative is ready at once.
template <class Rep, class Period>
Sleep sleep(std::chrono::duration<Rep, Period> duration) noexcept {
  return Sleep(saturating_add(Clock::now(), duration));
}

inline Sleep sleep_until(Instant deadline) noexcept { return Sleep(deadline); }

}  // namespace skua
