// Readiness: what is known of one direction (reading or writing) of a descriptor.
//
//   63                             3 | 2         | 1      | 0
//   events seen, counting up         | shut down | closed | ready
//
//   ready      an operation is worth trying. Set at first: the first try tells.
//   closed     the direction has ended (hang-up): it stays ready, operations report what it is. Not always for good: a
//              FIFO or a terminal can be opened again, which shows by an operation that would block
//   shut down  nobody reports events any more: ready for ever
//
// clear() and would_block() take the snapshot that was read before the operation was tried, and do nothing if an event
// has come since: an edge that arrives between a failed try and the clearing is not lost. The count has 61 bits: it
// does not wrap.
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
  static constexpr bool is_shut_down(Snapshot snapshot) noexcept { return (snapshot & shut_down) != 0; }
  /// Nothing has been reported nor tried yet: `ready` is a guess.
  static constexpr bool is_guess(Snapshot snapshot) noexcept { return snapshot == ready; }

  Snapshot snapshot() const noexcept {
    // [RD1] acquire: what the thread that noted the event did before; pairs with [RD2].
    return word_.load(std::memory_order_acquire);
  }

  /// The kernel reported an event.
  void note_event(bool has_closed) noexcept { note(ready | (has_closed ? closed : 0)); }
  /// There will be no more events.
  void note_shutdown() noexcept { note(ready | closed | shut_down); }

  /// The operation tried after `seen` was taken took all there was. A closed direction stays ready.
  void clear(Snapshot seen) noexcept {
    if (is_closed(seen)) return;
    replace(seen, seen & ~ready);
  }

  /// The operation tried after `seen` was taken would block, so that the direction has not ended, or not any more.
  void would_block(Snapshot seen) noexcept {
    if (is_shut_down(seen)) return;
    replace(seen, seen & ~(ready | closed));
  }

 private:
  static constexpr std::uint64_t ready = 1;
  static constexpr std::uint64_t closed = 2;
  static constexpr std::uint64_t shut_down = 4;
  static constexpr std::uint64_t one_event = 8;

  void note(std::uint64_t bits) noexcept {
    std::uint64_t now = word_.load(std::memory_order_relaxed);  // relaxed: the exchange reads again
    // [RD2] release: pairs with [RD1]. The failure order is relaxed: only compared again.
    while (!word_.compare_exchange_weak(now, (now | bits) + one_event, std::memory_order_release,
                                        std::memory_order_relaxed)) {
    }
  }

  void replace(Snapshot seen, Snapshot by) noexcept {
    // relaxed, both: the word publishes nothing here, and if it has changed there is nothing to do
    word_.compare_exchange_strong(seen, by, std::memory_order_relaxed, std::memory_order_relaxed);
  }

  seam::Atomic<std::uint64_t> word_{ready};
};

}  // namespace skua::reactor
