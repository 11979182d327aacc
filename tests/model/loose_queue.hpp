// LooseQueue: what stands behind InjectQueue in the models: as loose as ConcurrentQueue may be, and no looser.
//
// An enqueue takes a number and later fills the slot of that number; there is no tail. So elements become visible out
// of order, and a dequeue may find nothing although an enqueue has finished, unless that happened before the dequeue.
// It checks what its user promises: consumers come one after the other, and only when there is something that they can
// be sure to find.
#pragma once

#include "harness.hpp"

namespace skua::model {

template <class T>
class LooseQueue {
 public:
  bool enqueue(T* element) { return enqueue_bulk(&element, 1); }
  bool enqueue_bulk(T** elements, std::size_t count) {
    const std::uint32_t first = next_.fetch_add(static_cast<std::uint32_t>(count), std::memory_order_relaxed);
    check(first + count <= capacity, "the model's queue is large enough");
    for (std::size_t i = 0; i < count; ++i) slots_[first + i].store(elements[i], std::memory_order_release);
    return true;
  }
  std::size_t try_dequeue_bulk(T** room, std::size_t size) {
    consumers_.add(1);  // a race if they are not ordered
    std::size_t taken = 0;
    for (std::uint32_t i = 0; i < capacity && taken < size; ++i) {
      if (is_gone_[i]) continue;
      T* const element = slots_[i].load(std::memory_order_acquire);
      if (element == nullptr) continue;
      is_gone_[i] = true;
      room[taken++] = element;
    }
    check(taken != 0, "a counted element is found");
    return taken;
  }

 private:
  static constexpr std::uint32_t capacity = 4;
  seam::Atomic<std::uint32_t> next_;
  seam::Atomic<T*> slots_[capacity];
  bool is_gone_[capacity] = {};
  Var<int> consumers_;
};

}  // namespace skua::model
