#include <skua/core/assert.hpp>
#include <skua/time/delay_heap.hpp>

namespace skua {

DelayKey DelayHeap::insert(Instant deadline) {
  heap_.push_back({});  // what can fail comes first
  if (free_ == none) {
    try {
      slots_.emplace_back();
    } catch (...) {
      heap_.pop_back();
      throw;
    }
    free_ = static_cast<std::uint32_t>(slots_.size() - 1);
    slots_.back().place = none;
  }
  const std::uint32_t slot = free_;
  free_ = slots_[slot].place;
  settle(heap_.size() - 1, {deadline, order_++, slot});
  return {slot, slots_[slot].generation};
}

bool DelayHeap::contains(DelayKey key) const noexcept {
  return key.slot_ < slots_.size() && slots_[key.slot_].generation == key.generation_;
}

void DelayHeap::erase(DelayKey key) noexcept {
  SKUA_ASSERT(contains(key));
  const std::size_t place = slots_[key.slot_].place;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (place < heap_.size()) settle(place, last);
  release(key.slot_);
}

void DelayHeap::move(DelayKey key, Instant deadline) noexcept {
  SKUA_ASSERT(contains(key));
  settle(slots_[key.slot_].place, {deadline, order_++, key.slot_});
}

void DelayHeap::clear() noexcept {
  for (const Entry& entry : heap_) release(entry.slot);
  heap_.clear();
}

void DelayHeap::settle(std::size_t place, const Entry& entry) noexcept {
  while (place > 0 && entry.comes_before(heap_[(place - 1) / 2])) {
    put(place, heap_[(place - 1) / 2]);
    place = (place - 1) / 2;
  }
  for (;;) {
    std::size_t child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1].comes_before(heap_[child])) ++child;
    if (!heap_[child].comes_before(entry)) break;
    put(place, heap_[child]);
    place = child;
  }
  put(place, entry);
}

void DelayHeap::put(std::size_t place, const Entry& entry) noexcept {
  heap_[place] = entry;
  slots_[entry.slot].place = static_cast<std::uint32_t>(place);
}

void DelayHeap::release(std::uint32_t slot) noexcept {
  ++slots_[slot].generation;
  slots_[slot].place = free_;
  free_ = slot;
}

}  // namespace skua
