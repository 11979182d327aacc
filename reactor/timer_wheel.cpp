#include <skua/reactor/timer_wheel.hpp>

#include <algorithm>
#include <bit>
#include <utility>

namespace skua::reactor {

std::uint64_t TimerWheel::tick_of(Instant deadline) const noexcept {
  if (deadline <= origin_) return 0;
  const auto ns = static_cast<std::uint64_t>((deadline - origin_).count());
  return (ns >> tick_shift) + ((ns & ((1u << tick_shift) - 1)) != 0 ? 1 : 0);
}

Instant TimerWheel::instant_of(std::uint64_t tick) const noexcept {
  return saturating_add(origin_, Duration(static_cast<Duration::rep>(std::min<std::uint64_t>(tick, std::uint64_t{1} << 46) << tick_shift)));
}

// The highest 6-bit digit in which the two differ; a deadline beyond the top level is kept there.
unsigned TimerWheel::level_for(std::uint64_t now, std::uint64_t when) noexcept {
  const std::uint64_t differing = (now ^ when) | (slots - 1);
  const unsigned level = (63u - static_cast<unsigned>(std::countl_zero(differing))) / bits_per_level;
  return std::min(level, levels - 1);
}

void TimerWheel::insert(TimerEntry& entry, Instant deadline, Waker waker) noexcept {
  SKUA_ASSERT(!entry.is_armed());
  // A slot whose tick is now_ has been emptied already: the earliest that is looked at again is the next one.
  entry.tick_ = std::max(tick_of(deadline), now_ + 1);
  entry.waker_ = std::move(waker);
  entry.state_.store(TimerEntry::State::armed, std::memory_order_relaxed);  // relaxed: under the driver's lock
  ++size_;
  link(entry);
}

void TimerWheel::remove(TimerEntry& entry) noexcept {
  if (!entry.is_armed()) return;
  unlink(entry);
  --size_;
  entry.state_.store(TimerEntry::State::idle, std::memory_order_relaxed);  // relaxed: under the driver's lock
}

bool TimerWheel::advance(Instant now, std::vector<Waker>& woken, std::size_t limit) {
  const std::uint64_t target =
      now <= origin_ ? 0 : static_cast<std::uint64_t>((now - origin_).count()) >> tick_shift;
  while (const auto next = next_expiration()) {
    if (next->tick > target) break;
    now_ = next->tick;
    TimerEntry* entry = detach(next->level, next->slot);
    TimerEntry* later = nullptr;  // those that move to a lower level: their highest digit has come
    while (entry != nullptr) {
      TimerEntry* const rest = entry->next_;
      if (entry->tick_ > now_) {
        entry->next_ = std::exchange(later, entry);
      } else if (woken.size() < limit) {
        fire(*entry, woken);
      } else {
        // This slot's time has not come yet, after all. All of it stays: on the lower levels `later` would be found first,
        // time would move on to it, and what is left here would wait for a whole turn.
        now_ = next->tick - 1;
        link_all(entry);
        link_all(later);
        return true;
      }
      entry = rest;
    }
    link_all(later);
  }
  now_ = std::max(now_, target);
  return false;
}

void TimerWheel::fire_all(std::vector<Waker>& woken) {
  for (auto& level : slots_) {
    for (TimerEntry*& head : level) {
      while (TimerEntry* entry = head) {
        unlink(*entry);
        fire(*entry, woken);
      }
    }
  }
}

void TimerWheel::fire(TimerEntry& entry, std::vector<Waker>& woken) {
  --size_;
  woken.push_back(std::move(entry.waker_));
  // [TE2] release: the last touch; whoever sees `fired` may destroy the entry. Pairs with [TE1].
  entry.state_.store(TimerEntry::State::fired, std::memory_order_release);
}

std::optional<Instant> TimerWheel::next_deadline() const noexcept {
  const auto next = next_expiration();
  if (!next) return std::nullopt;
  return instant_of(next->tick);
}

std::optional<TimerWheel::Expiration> TimerWheel::next_expiration() const noexcept {
  // The first level that holds anything holds what comes next: all of a level lies before the next slot of the level above.
  for (unsigned level = 0; level < levels; ++level) {
    if (occupied_[level] == 0) continue;
    const unsigned shift = level * bits_per_level;
    const auto here = static_cast<unsigned>((now_ >> shift) & (slots - 1));
    // The first occupied slot after the one that now_ is in; that one itself comes last, a whole turn later.
    const auto ahead = static_cast<unsigned>(std::countr_zero(std::rotr(occupied_[level], static_cast<int>(here + 1))));
    const unsigned slot = (here + 1 + ahead) % slots;
    const std::uint64_t turn = (now_ >> shift) - here;
    const std::uint64_t tick = (turn + here + 1 + ahead) << shift;
    return Expiration{level, slot, tick};
  }
  return std::nullopt;
}

void TimerWheel::link(TimerEntry& entry) noexcept {
  const unsigned level = level_for(now_, entry.tick_);
  const auto slot = static_cast<unsigned>((entry.tick_ >> (level * bits_per_level)) & (slots - 1));
  entry.level_ = static_cast<std::uint8_t>(level);
  entry.slot_ = static_cast<std::uint8_t>(slot);
  TimerEntry*& head = slots_[level][slot];
  entry.previous_ = nullptr;
  entry.next_ = head;
  if (head != nullptr) head->previous_ = &entry;
  head = &entry;
  occupied_[level] |= std::uint64_t{1} << slot;
}

void TimerWheel::link_all(TimerEntry* first) noexcept {
  while (first != nullptr) {
    TimerEntry* const rest = first->next_;
    link(*first);
    first = rest;
  }
}

TimerEntry* TimerWheel::detach(unsigned level, unsigned slot) noexcept {
  occupied_[level] &= ~(std::uint64_t{1} << slot);
  return std::exchange(slots_[level][slot], nullptr);
}

void TimerWheel::unlink(TimerEntry& entry) noexcept {
  TimerEntry*& head = slots_[entry.level_][entry.slot_];
  if (entry.next_ != nullptr) entry.next_->previous_ = entry.previous_;
  (head == &entry ? head : entry.previous_->next_) = entry.next_;
  if (head == nullptr) occupied_[entry.level_] &= ~(std::uint64_t{1} << entry.slot_);
}

}  // namespace skua::reactor
