// BusyClock: how long a worker has been awake in all, in one word that any thread may read at any time.
//
//   63      | 62                                                                 0
//   awake   | asleep: the sum of all times awake, in ns
//           | awake:  the instant at which the worker would have been woken had it never slept since: now minus the sum
//
// So falling asleep and waking are one store each, and a reader needs no second word that might belong to another
// moment. A worker looks at the clock before it stores: a reader that comes in between takes it to be awake for a
// moment longer than it was. What readers have been told is therefore kept, and is never more than what they are told
// next.
//
// Thread safety: begin() and end() by the owner, in turn; total() by any thread.
#pragma once

#include <skua/core/atomic.hpp>
#include <skua/core/clock.hpp>

#include <algorithm>

namespace skua::scheduler {

class BusyClock {
 public:
  /// The worker is awake from `now` on.
  void begin(Instant now) noexcept {
    // relaxed, both: one word, and nothing else is read because of it
    const std::uint64_t sum = word_.load(std::memory_order_relaxed);
    word_.store(awake | (of(now) - sum), std::memory_order_relaxed);
  }
  /// And asleep.
  void end(Instant now) noexcept {
    // relaxed, both: as in begin()
    const std::uint64_t origin = word_.load(std::memory_order_relaxed) & ~awake;
    word_.store(of(now) - origin, std::memory_order_relaxed);
  }
  Duration total() const noexcept { return total(seam::now); }
  template <class Now>
  Duration total(Now now) const noexcept {
    const std::uint64_t word = word_.load(std::memory_order_relaxed);  // relaxed: as in begin()
    const std::uint64_t sum = (word & awake) == 0 ? word : of(now()) - (word & ~awake);
    std::uint64_t told = told_.load(std::memory_order_relaxed);  // relaxed: only compared, with numbers
    // relaxed: as above
    while (told < sum &&
           !told_.compare_exchange_weak(told, sum, std::memory_order_relaxed, std::memory_order_relaxed)) {
    }
    return Duration(static_cast<Duration::rep>(std::max(told, sum)));
  }

 private:
  static constexpr std::uint64_t awake = std::uint64_t{1} << 63;
  static std::uint64_t of(Instant instant) noexcept {
    return static_cast<std::uint64_t>(instant.time_since_epoch().count());
  }

  seam::Atomic<std::uint64_t> word_{0};
  mutable seam::Atomic<std::uint64_t> told_{0};  // by readers
};

}  // namespace skua::scheduler
