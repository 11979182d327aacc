// Latch: opens once, when it has been counted down to zero, for everybody.
//
// What came before count_down() is seen by who has waited. Cancel safety: a dropped wait changes nothing.
// Thread safety: any thread, under any executor. No allocation. It must outlive its futures.
#pragma once

#include <skua/sync/semaphore.hpp>

#include <cstddef>

namespace skua {

class Latch {
 public:
  explicit Latch(std::size_t count) : count_(count) {
    if (count == 0) open_.close();
  }

  /// At most what is left.
  void count_down(std::size_t by = 1) {
    // [LA1] acq_rel, pairs with itself: who opens it passes on what the others did before.
    const std::size_t before = count_.fetch_sub(by, std::memory_order_acq_rel);
    if (before < by) fail_fast("a Latch was counted down below zero", "Count down as often as it was told to expect");
    if (before == by) open_.close();
  }
  bool is_open() const noexcept { return open_.is_closed(); }

  /// A future of nothing.
  class [[nodiscard]] Wait {
   public:
    explicit Wait(Semaphore& open) noexcept : wait_(open, 1) {}
    Poll<void> poll(Context& context) {
      if (wait_.poll(context).is_pending()) return pending;
      return ready;
    }

   private:
    Semaphore::Wait wait_;
  };
  Wait wait() noexcept { return Wait(open_); }
  /// For a thread that runs no tasks, which sleeps.
  void wait_blocking() { sync::block_thread_on(wait()); }

 private:
  seam::Atomic<std::size_t> count_;
  Semaphore open_{0};  // never has a permit: who waits for one waits until it is closed
};

}  // namespace skua
