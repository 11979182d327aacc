#include <skua/task/wake_set.hpp>

namespace skua {

void WokenList::push(WakeSetEntry& entry) noexcept {
  Waker waker;
  {
    const seam::Lock lock(mutex_);
    if (entry.is_woken) return;
    entry.is_woken = true;
    entry.next_woken = nullptr;
    entry.previous_woken = last_;
    (last_ == nullptr ? first_ : last_->next_woken) = &entry;
    last_ = &entry;
    waker = std::move(waker_);
  }
  std::move(waker).wake();
}

WakeSetEntry* WokenList::pop(const Waker& waker) noexcept {
  Waker old;  // dropped after the lock is released
  const seam::Lock lock(mutex_);
  if (WakeSetEntry* const entry = take_first()) return entry;
  if (!waker_ || !waker_.will_wake(waker)) old = std::exchange(waker_, waker);
  return nullptr;
}

WakeSetEntry* WokenList::try_pop() noexcept {
  const seam::Lock lock(mutex_);
  return take_first();
}

void WokenList::forget_waker() noexcept {
  Waker old;  // dropped after the lock is released
  const seam::Lock lock(mutex_);
  old = std::move(waker_);
}

void WokenList::remove(WakeSetEntry& entry) noexcept {
  const seam::Lock lock(mutex_);
  if (entry.is_woken) unlink(entry);
  entry.is_woken = true;  // for good: a wake that comes later must not append it
}

WakeSetEntry* WokenList::take_first() {
  WakeSetEntry* const entry = first_;
  if (entry == nullptr) return nullptr;
  unlink(*entry);
  entry->is_woken = false;
  return entry;
}

void WokenList::unlink(WakeSetEntry& entry) {
  (entry.previous_woken == nullptr ? first_ : entry.previous_woken->next_woken) = entry.next_woken;
  (entry.next_woken == nullptr ? last_ : entry.next_woken->previous_woken) = entry.previous_woken;
}

}  // namespace skua
