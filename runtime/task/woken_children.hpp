// WokenChildren: which children of a combinator have been woken, so that only these are polled.
//
// A combinator of many futures gives each child a waker of its own. Waking a child puts it at the end of one list and
// wakes the combinator's task; the combinator's poll takes the children from the front and polls them. So a poll costs
// as much as there is to do, however many children wait.
//
//     child's waker ──owns──> WokenChild ──owns──> WokenChildren {list of the woken, waker of the parent}
//                                 ^
//     combinator ───────owns──────┘   (until the child is removed; wakers may keep the memory for longer)
//
// Invariants:
//  1. A child in the list has not been removed: the combinator owns it, so the list need not.
//  2. A child is in the list once at most: wakes of one that has been woken already cost the lock and no more.
//  3. A child leaves the list before it is polled: a wake during the poll puts it there again.
//  4. The parent's waker is there before the first child of a round is taken: whoever wakes a child finds either this
//     waker or a list that the parent will look at.
//
// Thread safety: wake() on any thread, the rest by the combinator, on one thread at a time. No waker is woken, cloned
// or dropped with the lock held. Cost: wake(), next_woken() and remove() take the lock once and are O(1).
#pragma once

#include <skua/core/mutex.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/wake.hpp>
#include <skua/core/waker.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace skua {

class WokenChildren;

/// What the wakers of a child own. A combinator derives its children from it.
class WokenChild : public RefCounted<WokenChild> {
 public:
  explicit WokenChild(Ref<WokenChildren> set) noexcept : set_(std::move(set)) {}
  virtual ~WokenChild() = default;

  void wake() noexcept;
  /// A waker of this child, for one poll; copies of it own the child.
  BorrowedWaker waker() noexcept { return {this, &wake_adapter::vtable<WokenChild>}; }

 private:
  friend class WokenChildren;
  enum class State : std::uint8_t {
    idle,     // waits
    woken,    // is in the list
    removed,  // wakes do nothing any more
  };

  const Ref<WokenChildren> set_;
  // Guarded by the mutex of the set
  State state_ = State::idle;
  WokenChild* next_ = nullptr;
  WokenChild* previous_ = nullptr;
};

class WokenChildren : public RefCounted<WokenChildren> {
 public:
  WokenChildren() = default;

  /// Begins to poll: from now on `parent` is woken when a child is. Returns how many have been woken: who takes no more
  /// than these does not go round for ever with a child that wakes itself.
  std::size_t begin_round(const Waker& parent);
  /// Takes the child that was woken first; null: there is none.
  WokenChild* next_woken() noexcept;
  /// The same; if there is none, `parent` is woken when there is one.
  WokenChild* next_woken(const Waker& parent);
  /// Lists `child`, unless it is listed or removed, and wakes the parent. A new child is woken to be polled at all.
  void wake(WokenChild& child) noexcept;
  /// The child's wakers do nothing from now on. Before the combinator lets go of the child.
  void remove(WokenChild& child) noexcept;
  /// Drops the parent's waker: the wakers of the children, which others may keep, do not keep the parent's task.
  void forget_parent() noexcept;

 private:
  WokenChild* take_first() noexcept SKUA_REQUIRES(mutex_);
  void append(WokenChild& child) noexcept SKUA_REQUIRES(mutex_);
  void unlink(WokenChild& child) noexcept SKUA_REQUIRES(mutex_);

  seam::Mutex mutex_;
  Waker parent_ SKUA_GUARDED_BY(mutex_);  // empty once it has been woken
  WokenChild* first_ SKUA_GUARDED_BY(mutex_) = nullptr;
  WokenChild* last_ SKUA_GUARDED_BY(mutex_) = nullptr;
  std::size_t count_ SKUA_GUARDED_BY(mutex_) = 0;
};

inline void WokenChild::wake() noexcept { set_->wake(*this); }

}  // namespace skua
