#include <skua/reactor/timer_wheel.hpp>

#include <algorithm>
#include <bit>
#include <utility>

namespace skua::reactor {

std::uint64_t TimerWheel::tick_of(Instant deadline) const noexcept {
  if (deadline <= origin_) return 0;
  const auto ns = static_cast<std::uint64_t>((deadline - origin_).count());
  return (ns >> shift_) + ((ns & ((std::uint64_t{1} << shift_) - 1)) != 0 ? 1 : 0);
}

Instant TimerWheel::instant_of(std::uint64_t tick) const noexcept {
  const std::uint64_t last = static_cast<std::uint64_t>(Duration::max().count()) >> shift_;
  return saturating_add(origin_, Duration(static_cast<Duration::rep>(std::min(tick, last) << shift_)));
}

// The highest 6-bit digit in which the two differ; a deadline beyond the top level is kept there.
unsigned TimerWheel::level_for(std::uint64_t now, std::uint64_t when) noexcept {
  const std::uint64_t differing = (now ^ when) | (slots - 1);
  const unsigned level = (63u - static_cast<unsigned>(std::countl_zero(differing))) / bits_per_level;
  return std::min(level, levels - 1);
}

void TimerWheel::insert(TimerEntry& entry, Instant deadline, Waker waker) noexcept {
  SKUA_ASSERT(!entry.is_armed());
  entry.tick_ = tick_of(deadline);
  entry.waker_ = std::move(waker);
  entry.state_.store(TimerEntry::State::armed, std::memory_order_relaxed);  // relaxed: under the driver's lock
  ++size_;
  // The slot of the present tick has been emptied already.
  if (entry.tick_ <= now_) {
    link_due(entry);
  } else {
    link(entry);
  }
}

void TimerWheel::remove(TimerEntry& entry) noexcept {
  if (!entry.is_armed()) return;
  unlink(entry);
  --size_;
  entry.state_.store(TimerEntry::State::idle, std::memory_order_relaxed);  // relaxed: under the driver's lock
}

bool TimerWheel::advance(Instant now, std::vector<Waker>& woken, std::size_t limit) {
  const std::uint64_t target = now <= origin_ ? 0 : static_cast<std::uint64_t>((now - origin_).count()) >> shift_;
  for (;;) {
    while (due_ != nullptr) {
      if (woken.size() >= limit) return true;
      fire(*due_, woken);
    }
    const auto next = next_expiration();
    if (!next || next->tick > target) break;
    now_ = next->tick;
    spread(detach(next->level, next->slot));
  }
  now_ = std::max(now_, target);
  return false;
}

// Time has come to a slot: its entries are due, or move to a lower level.
void TimerWheel::spread(TimerEntry* first) noexcept {
  while (first != nullptr) {
    TimerEntry* const rest = first->next_;
    if (first->tick_ <= now_) {
      link_due(*first);
    } else {
      link(*first);
    }
    first = rest;
  }
}

void TimerWheel::fire_all(std::vector<Waker>& woken) {
  while (due_ != nullptr) fire(*due_, woken);
  for (auto& level : slots_) {
    for (TimerEntry*& head : level) {
      while (head != nullptr) fire(*head, woken);
    }
  }
}

void TimerWheel::fire(TimerEntry& entry, std::vector<Waker>& woken) {
  unlink(entry);
  --size_;
  woken.push_back(std::move(entry.waker_));
  // [TE2] release: the last touch; whoever sees `fired` may destroy the entry. Pairs with [TE1].
  entry.state_.store(TimerEntry::State::fired, std::memory_order_release);
}

std::optional<Instant> TimerWheel::next_deadline() const noexcept {
  if (due_ != nullptr) return instant_of(now_);
  const auto next = next_expiration();
  if (!next) return std::nullopt;
  return instant_of(next->tick);
}

std::optional<Instant> TimerWheel::first_deadline() const noexcept {
  if (due_ != nullptr) return instant_of(now_);
  const auto next = next_expiration();
  if (!next) return std::nullopt;
  // What goes round the top level stands in any of its slots.
  const bool is_top = next->level == levels - 1;
  return instant_of(first_tick_of(next->level, is_top ? occupied_.back() : std::uint64_t{1} << next->slot));
}

std::uint64_t TimerWheel::first_tick_of(unsigned level, std::uint64_t slots_to_see) const noexcept {
  std::uint64_t first = ~std::uint64_t{0};
  for (; slots_to_see != 0; slots_to_see &= slots_to_see - 1) {
    const TimerEntry* entry = slots_[level][static_cast<unsigned>(std::countr_zero(slots_to_see))];
    for (; entry != nullptr; entry = entry->next_) first = std::min(first, entry->tick_);
  }
  return first;
}

std::optional<TimerWheel::Expiration> TimerWheel::next_expiration() const noexcept {
  // The first level that holds anything holds what comes next: all of a level lies before the next slot of the level
  // above.
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
  push_front(slots_[level][slot], entry);
  occupied_[level] |= std::uint64_t{1} << slot;
}

void TimerWheel::link_due(TimerEntry& entry) noexcept {
  entry.level_ = due_level;
  push_front(due_, entry);
}

void TimerWheel::push_front(TimerEntry*& head, TimerEntry& entry) noexcept {
  entry.previous_ = nullptr;
  entry.next_ = head;
  if (head != nullptr) head->previous_ = &entry;
  head = &entry;
}

TimerEntry* TimerWheel::detach(unsigned level, unsigned slot) noexcept {
  occupied_[level] &= ~(std::uint64_t{1} << slot);
  return std::exchange(slots_[level][slot], nullptr);
}

void TimerWheel::unlink(TimerEntry& entry) noexcept {
  const bool is_due = entry.level_ == due_level;
  TimerEntry*& head = is_due ? due_ : slots_[entry.level_][entry.slot_];
  if (entry.next_ != nullptr) entry.next_->previous_ = entry.previous_;
  (head == &entry ? head : entry.previous_->next_) = entry.next_;
  if (head == nullptr && !is_due) occupied_[entry.level_] &= ~(std::uint64_t{1} << entry.slot_);
}

}  // namespace skua::reactor
