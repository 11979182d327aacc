// DelayHeap: which of many deadlines is the next; any of them can be moved or taken out. What a DelayQueue rests on.
//
// A binary heap of deadlines, and a table of slots that know where in the heap each stands. Insertion, removal and
// moving are O(log n); the first is at hand. Of equal deadlines the one inserted, or moved, earlier comes first.
//
// Thread safety: none.
#pragma once

#include <skua/core/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace skua {

/// Names an entry of a DelayQueue; never another one, also when the entry is gone. (The count of a slot's entries has
/// 32 bits.)
class DelayKey {
 public:
  friend bool operator==(const DelayKey&, const DelayKey&) noexcept = default;

 private:
  friend class DelayHeap;
  template <class T>
  friend class DelayQueue;
  DelayKey(std::uint32_t slot, std::uint32_t generation) noexcept : slot_(slot), generation_(generation) {}
  std::uint32_t slot_;
  std::uint32_t generation_;
};

class DelayHeap {
 public:
  std::size_t size() const noexcept { return heap_.size(); }
  /// The number of slots ever used: keys' slots are below it.
  std::size_t slots() const noexcept { return slots_.size(); }

  DelayKey insert(Instant deadline);
  /// Whether the entry is there.
  bool contains(DelayKey key) const noexcept;
  // These require it.
  void erase(DelayKey key) noexcept;
  void move(DelayKey key, Instant deadline) noexcept;
  Instant deadline(DelayKey key) const noexcept { return heap_[slots_[key.slot_].place].deadline; }
  void clear() noexcept;

  // These require that it is not empty.
  DelayKey first() const noexcept { return {heap_.front().slot, slots_[heap_.front().slot].generation}; }
  Instant first_deadline() const noexcept { return heap_.front().deadline; }

 private:
  struct Entry {
    Instant deadline;
    std::uint64_t order;  // of insertion
    std::uint32_t slot;
    bool comes_before(const Entry& other) const noexcept {
      return deadline != other.deadline ? deadline < other.deadline : order < other.order;
    }
  };
  struct Slot {
    std::uint32_t generation = 0;  // counts up when an entry goes
    std::uint32_t place = 0;       // in heap_; of a free slot: the next free one
  };

  void put(std::size_t place, const Entry& entry) noexcept;
  /// Finds the place of `entry`, which is free at `place`.
  void settle(std::size_t place, const Entry& entry) noexcept;
  void release(std::uint32_t slot) noexcept;

  static constexpr std::uint32_t none = ~std::uint32_t{0};
  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::uint32_t free_ = none;
  std::uint64_t order_ = 0;
};

}  // namespace skua
