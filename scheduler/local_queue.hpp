// LocalQueue: the run queue of one worker: a ring that its owner fills and empties, and that thieves halve.
//
// Positions count up for ever and wrap; a slot is position & mask. `head_` packs two positions:
//
//     steal          real                     tail
//       |  being      |  ready to run           |
//       |  copied     |  (owner pops here)      |  (owner pushes here)
//     --+-------------+-------------------------+--
//
// A thief moves `real` forward over half of the tasks (they are his), copies them, then moves `steal` up to `real`.
// While steal != real there is a thief at work and no second one may start; the owner goes on popping and pushing,
// but does not reuse slots from `steal` on. The owner pops at `real`: first in, first out. (The design is that of
// Tokio's and, before it, Go's run queue.)
//
// Thread safety: push, pop, take_half and size by the owner; steal_into, is_empty and size_seen by any thread.
// Invariants: (1) steal <= real <= tail <= steal + capacity, in wrapping arithmetic.
//             (2) a slot in [real, tail) holds a task that nobody else holds; one in [steal, real) the thief's.
#pragma once

#include <skua/core/assert.hpp>
#include <skua/core/atomic.hpp>

#include <array>
#include <span>

namespace skua::scheduler {

template <class T, std::uint32_t Capacity = seam::local_queue_capacity>
class LocalQueue {
  static_assert(Capacity >= 2 && (Capacity & (Capacity - 1)) == 0, "the capacity is a power of two");

 public:
  static constexpr std::uint32_t capacity = Capacity;

  LocalQueue() = default;
  /// Starts the positions at `first`: for tests of wrap-around.
  explicit LocalQueue(std::uint32_t first) noexcept : head_(pack(first, first)), tail_(first) {}
  LocalQueue(const LocalQueue&) = delete;
  LocalQueue& operator=(const LocalQueue&) = delete;

  /// Owner. False: the ring is full.
  [[nodiscard]] bool push(T* task) noexcept {
    // [LQ1] acquire: slots below `steal` are ours again, the thief has read them; pairs with [LQ6].
    const Head head = unpack(head_.load(std::memory_order_acquire));
    const std::uint32_t tail = own_tail();
    if (tail - head.steal >= Capacity) return false;
    put(tail, task);
    publish_tail(tail + 1);
    return true;
  }

  /// Owner. The oldest task, or null.
  [[nodiscard]] T* pop() noexcept {
    // [LQ2] acquire: pairs with [LQ5], [LQ6]: the exchange below continues their chain of writes to head_.
    std::uint64_t packed = head_.load(std::memory_order_acquire);
    for (;;) {
      const Head head = unpack(packed);
      if (head.real == own_tail()) return nullptr;
      // With a thief at work only `real` moves, otherwise both do.
      const std::uint32_t steal = head.steal == head.real ? head.real + 1 : head.steal;
      // [LQ3] acq_rel: a thief that sees the new head sees that the slot is taken; pairs with [LQ4], [LQ5].
      if (head_.compare_exchange_weak(packed, pack(steal, head.real + 1), std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {  // [LQ7] acquire: as [LQ2]; pairs with [LQ5]
        return get(head.real);
      }
    }
  }

  /// Owner, when push() failed: takes the newer half out, in order, for the inject queue. The older half stays: it has
  /// waited longest and runs first. Returns the tasks taken: none if a thief is at work (who makes room soon).
  [[nodiscard]] std::span<T*> take_half(std::array<T*, Capacity / 2>& room) noexcept {
    const std::uint32_t tail = own_tail();
    // [LQ8] acquire: no thief is reading; pairs with [LQ6].
    std::uint64_t packed = head_.load(std::memory_order_acquire);
    const Head head = unpack(packed);
    if (head.steal != head.real || tail - head.real != Capacity) return {};
    // Claims the whole ring as a thief would, so that nobody steals while we shorten it.
    // [LQ9] acq_rel: as [LQ3]; pairs with [LQ5]. The failure order is relaxed: we give up.
    if (!head_.compare_exchange_strong(packed, pack(head.real, tail), std::memory_order_acq_rel,
                                       std::memory_order_relaxed)) {
      return {};
    }
    constexpr std::uint32_t half = Capacity / 2;
    for (std::uint32_t i = 0; i < half; ++i) room[i] = get(head.real + half + i);
    // No thief acts while steal != real, so tail may move back before head is restored.
    publish_tail(tail - half);
    // [LQ10] release: a thief that sees this head sees the shorter tail; pairs with [LQ4].
    head_.store(pack(head.real, head.real), std::memory_order_release);
    return {room.data(), half};
  }

  /// Thief, who owns `destination`: moves half of the tasks (rounded up) there, but returns the newest of them to be
  /// run at once. Null: nothing to steal, another thief is at work, or `destination` is more than half full.
  [[nodiscard]] T* steal_into(LocalQueue& destination) noexcept {
    SKUA_ASSERT(this != &destination);
    const std::uint32_t to = destination.own_tail();
    // [LQ11] acquire: slots of ours that another thief has read are free; pairs with [LQ6].
    const Head room = unpack(destination.head_.load(std::memory_order_acquire));
    if (to - room.steal > Capacity / 2) return nullptr;

    const Claim claim = claim_half();
    if (claim.count == 0) return nullptr;
    for (std::uint32_t i = 0; i + 1 < claim.count; ++i) destination.put(to + i, get(claim.first + i));
    T* newest = get(claim.first + claim.count - 1);
    release_claim();
    if (claim.count > 1) destination.publish_tail(to + claim.count - 1);
    return newest;
  }

  /// Owner. How many tasks are ready to run.
  std::uint32_t size() const noexcept {
    // relaxed: the owner's own view; thieves can only make it smaller
    return own_tail() - unpack(head_.load(std::memory_order_relaxed)).real;
  }

  /// Any thread. For statistics: of no moment in particular.
  std::uint32_t size_seen() const noexcept {
    // relaxed, both: nothing is read because of it, and what comes out of two moments is cut to what is possible
    const std::uint32_t real = unpack(head_.load(std::memory_order_relaxed)).real;
    const std::uint32_t size = tail_.load(std::memory_order_relaxed) - real;
    return size <= Capacity ? size : 0;
  }

  /// Any thread. A look that is stale at once, but ordered: see idle.hpp for the protocol that relies on it.
  bool is_empty() const noexcept {
    // [LQ12] acquire: head first, then a tail at least as new; pairs with [LQ3], [LQ5].
    const Head head = unpack(head_.load(std::memory_order_acquire));
    // [LQ13] acquire: who sees the tail sees what was pushed before it; pairs with [LQ14].
    return head.real == tail_.load(std::memory_order_acquire);
  }

 private:
  struct Head {
    std::uint32_t steal;
    std::uint32_t real;
  };
  struct Claim {
    std::uint32_t first;
    std::uint32_t count;
  };
  static constexpr std::uint64_t pack(std::uint32_t steal, std::uint32_t real) noexcept {
    return (std::uint64_t{steal} << 32) | real;
  }
  static constexpr Head unpack(std::uint64_t packed) noexcept {
    return {static_cast<std::uint32_t>(packed >> 32), static_cast<std::uint32_t>(packed)};
  }

  // relaxed: the tail is written by its owner, who asks
  std::uint32_t own_tail() const noexcept { return tail_.load(std::memory_order_relaxed); }
  // [LQ14] release: who sees the new tail sees the slots before it; pairs with [LQ4], [LQ13].
  void publish_tail(std::uint32_t tail) noexcept { tail_.store(tail, std::memory_order_release); }
  // relaxed, both: slots are published by the tail [LQ14] and handed back by the head [LQ6]
  void put(std::uint32_t at, T* task) noexcept { slots_[at % Capacity].store(task, std::memory_order_relaxed); }
  T* get(std::uint32_t at) const noexcept { return slots_[at % Capacity].load(std::memory_order_relaxed); }

  // Thief: makes the older half ours by moving `real` over it.
  Claim claim_half() noexcept {
    // [LQ15] acquire: head before tail, so that the difference is never negative; pairs with [LQ3], [LQ10].
    std::uint64_t packed = head_.load(std::memory_order_acquire);
    for (;;) {
      const Head head = unpack(packed);
      // [LQ4] acquire: the slots up to this tail are filled; pairs with [LQ14].
      const std::uint32_t ready = tail_.load(std::memory_order_acquire) - head.real;
      if (head.steal != head.real || ready == 0) return {0, 0};
      const std::uint32_t count = ready - ready / 2;
      // If head is what it was, `ready` is right or too small; if not, we look again.
      // [LQ5] acq_rel: the owner sees the claim before he pops or overwrites; pairs with [LQ2], [LQ3], [LQ12].
      if (head_.compare_exchange_weak(packed, pack(head.steal, head.real + count), std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {  // [LQ16] acquire: as [LQ15]; pairs with [LQ10]
        return {head.real, count};
      }
    }
  }

  // Thief: has copied the tasks; the slots are the owner's again.
  void release_claim() noexcept {
    std::uint64_t packed = head_.load(std::memory_order_relaxed);  // relaxed: the exchange reads again
    // [LQ6] acq_rel: our reads of the slots come before the owner's next writes to them; pairs with [LQ1], [LQ8].
    while (!head_.compare_exchange_weak(packed, pack(unpack(packed).real, unpack(packed).real),
                                        std::memory_order_acq_rel, std::memory_order_relaxed)) {
    }
  }

  alignas(seam::cache_line) seam::Atomic<std::uint64_t> head_{0};
  alignas(seam::cache_line) seam::Atomic<std::uint32_t> tail_{0};
  std::array<seam::Atomic<T*>, Capacity> slots_{};
};

}  // namespace skua::scheduler
