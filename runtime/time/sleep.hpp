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

 private:
  const Instant deadline_;
  reactor::TimerEntry entry_;
  Ref<reactor::Driver> driver_;  // set while the timer is armed there, or has fired
};

/// Sleeps for `duration`: any std::chrono type, any length (centuries are fine); zero or negative is ready at once.
template <class Rep, class Period>
Sleep sleep(std::chrono::duration<Rep, Period> duration) noexcept {
  return Sleep(saturating_add(seam::now(), duration));
}

inline Sleep sleep_until(Instant deadline) noexcept { return Sleep(deadline); }

}  // namespace skua
