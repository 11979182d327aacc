// TimerWheel: deadlines in six wheels of 64 slots; inserting, cancelling and firing a timer are O(1).
//
//   level   one slot   whole level            level   one slot   whole level
//     0      65.5 µs     4.2 ms                 3     17.2 s       18.3 min
//     1       4.2 ms     268 ms                 4     18.3 min     19.5 h
//     2       268 ms     17.2 s                 5     19.5 h       52 days
//
// A tick is 2^16 ns. (Of a wheel for virtual time, 1 ns: there it is the order of deadlines that counts.)
// The level of a timer is that of the highest 6-bit digit in which its tick differs from now; when
// time reaches its slot it moves down, and fires on level 0. Beyond 52 days it goes round the top level until it fits.
// (Varghese and Lauck, "Hashed and hierarchical timing wheels", 1987.)
//
// Never early: a deadline is rounded up to a tick, now is rounded down. Late by less than a tick, plus the sleeper's
// own.
//
// Thread safety: none; the driver's lock protects wheel and entries.
#pragma once

#include <skua/core/assert.hpp>
#include <skua/core/atomic.hpp>
#include <skua/core/clock.hpp>
#include <skua/core/waker.hpp>

#include <array>
#include <optional>
#include <vector>

namespace skua::reactor {

/// A timer, linked into a wheel while it is armed. Lives in the future that waits for it.
class TimerEntry {
 public:
  TimerEntry() = default;
  TimerEntry(const TimerEntry&) = delete;
  TimerEntry& operator=(const TimerEntry&) = delete;
  ~TimerEntry() { SKUA_ASSERT(!is_armed()); }

  // Any thread
  bool has_fired() const noexcept {
    // [TE1] acquire: the wheel is done with the entry; pairs with [TE2].
    return state_.load(std::memory_order_acquire) == State::fired;
  }

 private:
  friend class TimerWheel;
  friend class Driver;
  enum class State : std::uint8_t { idle, armed, fired };

  // relaxed: `armed` is set and left under the driver's lock only
  bool is_armed() const noexcept { return state_.load(std::memory_order_relaxed) == State::armed; }

  TimerEntry* next_ = nullptr;
  TimerEntry* previous_ = nullptr;
  std::uint64_t tick_ = 0;
  Waker waker_;
  std::uint8_t level_ = 0;
  std::uint8_t slot_ = 0;
  seam::Atomic<State> state_{State::idle};
};

class TimerWheel {
 public:
  static constexpr unsigned bits_per_level = 6;
  static constexpr unsigned levels = 6;
  static constexpr unsigned slots = 1u << bits_per_level;
  static constexpr unsigned tick_shift = 16;  // a tick is 2^16 ns

  /// Starts at `origin`, which is tick 0. A tick is 2^`shift` ns.
  explicit TimerWheel(Instant origin, unsigned shift = tick_shift) noexcept : origin_(origin), shift_(shift) {}
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  /// Arms an idle or fired entry; `waker` is woken by advance() once `deadline` has come. A deadline in the past
  /// fires at the next advance().
  void insert(TimerEntry& entry, Instant deadline, Waker waker) noexcept;
  /// Disarms the entry, if it is armed.
  void remove(TimerEntry& entry) noexcept;

  /// Moves time to `now` and fires what is due: at most `limit` wakers are appended to `woken`. True: there is more.
  bool advance(Instant now, std::vector<Waker>& woken, std::size_t limit);
  /// Fires everything, due or not.
  void fire_all(std::vector<Waker>& woken);

  /// No timer fires before this instant; it may be early, when a timer has to change levels. None: no timer is armed.
  std::optional<Instant> next_deadline() const noexcept;

  /// When the first timer fires, exactly. Looks at all the timers that may be the first: next_deadline() does not.
  std::optional<Instant> first_deadline() const noexcept;

  std::size_t size() const noexcept { return size_; }

  /// The tick at or after `deadline`.
  std::uint64_t tick_of(Instant deadline) const noexcept;

 private:
  struct Expiration {
    unsigned level;
    unsigned slot;
    std::uint64_t tick;
  };
  static unsigned level_for(std::uint64_t now, std::uint64_t when) noexcept;
  std::optional<Expiration> next_expiration() const noexcept;
  Instant instant_of(std::uint64_t tick) const noexcept;
  std::uint64_t first_tick_of(unsigned level, std::uint64_t slots_to_see) const noexcept;
  void link(TimerEntry& entry) noexcept;
  void link_due(TimerEntry& entry) noexcept;
  static void push_front(TimerEntry*& head, TimerEntry& entry) noexcept;
  void unlink(TimerEntry& entry) noexcept;
  void spread(TimerEntry* first) noexcept;
  /// Takes a slot's list out; its entries are still armed, and linked to each other.
  TimerEntry* detach(unsigned level, unsigned slot) noexcept;
  void fire(TimerEntry& entry, std::vector<Waker>& woken);

  const Instant origin_;
  const unsigned shift_;
  static constexpr std::uint8_t due_level = levels;
  std::uint64_t now_ = 0;  // every timer with a tick before or at this has fired, or is in due_
  TimerEntry* due_ = nullptr;
  std::size_t size_ = 0;
  std::array<std::uint64_t, levels> occupied_{};  // bit per slot
  std::array<std::array<TimerEntry*, slots>, levels> slots_{};
};

}  // namespace skua::reactor
