// Waiters: a list of futures that wait for the same thing, and are all woken by it.
//
// Guarded by a mutex of whoever has the list. The nodes lie in the futures: waiting allocates nothing. Wakers are taken
// out under the lock, and woken and destroyed with no lock held: either may run anybody's code.
#pragma once

#include <skua/core/waker.hpp>

#include <array>
#include <cstddef>
#include <utility>

namespace skua {

class Waiters {
 public:
  struct Node {
    Waker waker;
    Node* next = nullptr;
    Node* previous = nullptr;
    bool is_listed = false;
  };

  /// Appends `node` if it is not listed, and has it wake `waker`. Returns the waker that it had before.
  [[nodiscard]] Waker enlist(Node& node, const Waker& waker);
  /// Takes `node` out, if it is listed.
  void withdraw(Node& node) noexcept;

  /// Wakers that were taken out, to be woken when the lock is released.
  class Batch {
   public:
    /// Wakes all. False: there are no more to be taken out.
    bool wake() noexcept;

   private:
    friend class Waiters;
    std::array<Waker, 16> wakers_;
    std::size_t size_ = 0;
  };
  /// Takes nodes out, the first ones first, as many as a batch holds. To wake all:
  ///   Waiters::Batch batch;
  ///   do {
  ///     const seam::Lock lock(mutex_);
  ///     waiters_.take(batch);
  ///   } while (batch.wake());
  void take(Batch& batch) noexcept;

 private:
  Node* first_ = nullptr;
  Node* last_ = nullptr;
};

}  // namespace skua
