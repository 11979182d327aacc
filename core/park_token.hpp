// ParkToken: the three-state word between a thread that sleeps and those that wake it.
//
//   empty ──begin_sleep──> sleeping ──wake──> notified
//     └────────wake──────> notified
//
// A waker of a sleeper must also make a system call; a waker of a running thread need not: the next sleep is refused.
// The sleeping itself (a condition variable, epoll, a ring) is the owner's business; what matters here is that a wake
// between begin_sleep() and the system call is not lost, so the wake's system call must be one that a sleep which
// begins later still sees (an eventfd that stays readable, a predicate under a mutex).
//
// Memory ordering: what a waker did before wake() is visible to the owner after the begin_sleep() that was refused or
// the end_sleep() that followed.
#pragma once

#include <skua/core/assert.hpp>
#include <skua/core/atomic.hpp>

namespace skua {

class ParkToken {
 public:
  /// Owner. False: there was a wake, which is consumed; do not sleep.
  [[nodiscard]] bool begin_sleep() noexcept {
    std::uint32_t expected = empty;
    // [PT1] acq_rel: pairs with [PT3]. Failure [PT2] acquire: the same; pairs with [PT3].
    if (state_.compare_exchange_strong(expected, sleeping, std::memory_order_acq_rel, std::memory_order_acquire)) {
      return true;
    }
    // [PT4] acquire: an exchange, not a store: a wake since the line above is consumed too and must be seen. Pairs with
    // [PT3].
    [[maybe_unused]] const std::uint32_t before = state_.exchange(empty, std::memory_order_acquire);
    SKUA_ASSERT(before == notified);  // the last sleep was ended
    return false;
  }

  /// Owner, awake again for whatever reason. Consumes a wake; true if there was one.
  bool end_sleep() noexcept {
    // [PT5] acquire: pairs with [PT3].
    return state_.exchange(empty, std::memory_order_acquire) == notified;
  }

  /// Any thread. True: the owner sleeps, the caller must wake it by its system call.
  [[nodiscard]] bool wake() noexcept {
    // [PT3] release: an exchange, not a compare-exchange that stops at `notified`: every wake writes, so that the owner
    // sees this caller's writes too. Pairs with [PT1], [PT2], [PT4], [PT5].
    return state_.exchange(notified, std::memory_order_release) == sleeping;
  }

  /// Owner. True if a wake has come since the sleep began.
  bool is_notified() const noexcept {
    return state_.load(std::memory_order_relaxed) == notified;  // relaxed: end_sleep() acquires
  }

 private:
  static constexpr std::uint32_t empty = 0;
  static constexpr std::uint32_t sleeping = 1;
  static constexpr std::uint32_t notified = 2;
  seam::Atomic<std::uint32_t> state_{empty};
};

}  // namespace skua
