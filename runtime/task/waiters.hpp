// Waiters: a list of futures that wait for the same thing, and are all woken by it.
//
// Guarded by a mutex of whoever has the list. The nodes lie in the futures: waiting allocates nothing. Wakers are taken
// out under the lock, and woken and destroyed with no lock held: either may run anybody's code.
#pragma once

#include <skua/core/mutex.hpp>
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
  /// Takes the first out, null if there is none.
  Node* pop() noexcept;

 private:
  Node* first_ = nullptr;
  Node* last_ = nullptr;
};

/// Takes all nodes out and wakes them, a batch at a time; `mutex` guards `waiters`, and is not held. Who comes
/// meanwhile is woken too: the caller has seen to it that nobody does.
void wake_all(seam::Mutex& mutex, Waiters& waiters) noexcept;

}  // namespace skua
