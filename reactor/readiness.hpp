// Readiness: what is known of one direction (reading or writing) of a descriptor.
//
//   63                                         2 | 1      | 0
//   events seen, counting up                     | closed | ready
//
//   ready    an operation is worth trying. Set at first: the first try tells.
//   closed   the direction has ended (hang-up, error): `ready` is never cleared again, operations report what it is
//
// clear() takes the snapshot that was read before the operation was tried, and does nothing if an event has come since:
// an edge that arrives between a failed try and the clearing is not lost. The count has 62 bits: it does not wrap.
//
// Thread safety: any thread.
#pragma once

#include <skua/core/atomic.hpp>

namespace skua::reactor {

class Readiness {
 public:
  using Snapshot = std::uint64_t;

  static constexpr bool is_ready(Snapshot snapshot) noexcept { return (snapshot & ready) != 0; }
  static constexpr bool is_closed(Snapshot snapshot) noexcept { return (snapshot & closed) != 0; }

  Snapshot snapshot() const noexcept {
    // [RD1] acquire: what the thread that noted the event did before; pairs with [RD2].
    return word_.load(std::memory_order_acquire);
  }

  /// The kernel reported an event.
  void note_event(bool has_closed) noexcept {
    std::uint64_t now = word_.load(std::memory_order_relaxed);  // relaxed: the exchange reads again
    // [RD2] release: pairs with [RD1]. The failure order is relaxed: only compared again.
    while (!word_.compare_exchange_weak(now, (now | ready | (has_closed ? closed : 0)) + one_event,
                                        std::memory_order_release, std::memory_order_relaxed)) {
    }
  }

  /// The operation tried after `seen` was taken would block, or took all there was. A closed direction stays ready.
  void clear(Snapshot seen) noexcept {
    if (is_closed(seen)) return;
    // relaxed, both: the word publishes nothing here, and if it has changed there is nothing to do
    word_.compare_exchange_strong(seen, seen & ~ready, std::memory_order_relaxed, std::memory_order_relaxed);
  }

 private:
  static constexpr std::uint64_t ready = 1;
  static constexpr std::uint64_t closed = 2;
  static constexpr std::uint64_t one_event = 4;
  seam::Atomic<std::uint64_t> word_{ready};
};

}  // namespace skua::reactor
