// WaitList: the futures that wait at a primitive, in the order in which they came.
//
// Ownership: the nodes stand in the futures; a future takes its node off the list before it goes, so list and nodes are
// guarded by one mutex, the primitive's. Whoever ends a wait takes the node off, sets what the wait has come to, and
// moves the waker out: from the moment the mutex is released the future may be gone.
// Wakers are woken, and dropped, with no mutex held: they may run any code. WakeBatch is for that.
#pragma once

#include <skua/core/assert.hpp>
#include <skua/core/waker.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace skua {

struct WaitNode {
  WaitNode() = default;
  WaitNode(const WaitNode&) = delete;
  WaitNode& operator=(const WaitNode&) = delete;

  Waker waker;
  WaitNode* next = nullptr;
  WaitNode* previous = nullptr;
  bool is_listed = false;
};

/// A waker that is woken when it goes: declare it before the lock.
class WakeAtEnd {
 public:
  WakeAtEnd() = default;
  WakeAtEnd(const WakeAtEnd&) = delete;
  WakeAtEnd& operator=(const WakeAtEnd&) = delete;
  ~WakeAtEnd() { std::move(waker_).wake(); }
  void set(Waker waker) noexcept { waker_ = std::move(waker); }

 private:
  Waker waker_;
};

/// Wakers that are woken when it goes: declare it before the lock. Limited, so that nobody holds a mutex for long: who
/// has more to wake does it in several batches.
class WakeBatch {
 public:
  static constexpr std::size_t capacity = 32;

  WakeBatch() = default;
  WakeBatch(const WakeBatch&) = delete;
  WakeBatch& operator=(const WakeBatch&) = delete;
  ~WakeBatch() {
    for (std::size_t i = 0; i < size_; ++i) std::move(wakers_[i]).wake();
  }

  bool is_full() const noexcept { return size_ == capacity; }
  void add(Waker waker) noexcept { wakers_[size_++] = std::move(waker); }

 private:
  std::array<Waker, capacity> wakers_;
  std::size_t size_ = 0;
};

/// Of nodes of one type, which is or derives from WaitNode.
template <class Node = WaitNode>
class WaitList {
 public:
  WaitList() = default;
  WaitList(const WaitList&) = delete;
  WaitList& operator=(const WaitList&) = delete;
  ~WaitList() { SKUA_ASSERT(is_empty()); }

  bool is_empty() const noexcept { return first_ == nullptr; }
  /// Null if there is none.
  Node* front() const noexcept { return static_cast<Node*>(first_); }
  Node* back() const noexcept { return static_cast<Node*>(last_); }
  /// Appends `node` unless it is listed, and has it wake `waker`. Returns the waker that it had before, to be dropped
  /// without the lock.
  [[nodiscard]] Waker enlist(Node& node, const Waker& waker) {
    if (!node.is_listed) push_back(node);
    return node.waker.will_wake(waker) ? Waker() : std::exchange(node.waker, waker);
  }
  void push_back(Node& node) noexcept {
    node.is_listed = true;
    node.next = nullptr;
    node.previous = last_;
    (last_ == nullptr ? first_ : last_->next) = &node;
    last_ = &node;
  }
  void push_front(Node& node) noexcept {
    node.is_listed = true;
    node.previous = nullptr;
    node.next = first_;
    (first_ == nullptr ? last_ : first_->previous) = &node;
    first_ = &node;
  }
  void remove(Node& node) noexcept {
    SKUA_ASSERT(node.is_listed);
    node.is_listed = false;
    (node.previous == nullptr ? first_ : node.previous->next) = node.next;
    (node.next == nullptr ? last_ : node.next->previous) = node.previous;
  }
  /// Removes nodes, the first ones first, as many as the batch holds. True: there are more.
  bool move_wakers(WakeBatch& batch) noexcept {
    while (first_ != nullptr && !batch.is_full()) {
      Node& node = *front();
      remove(node);
      batch.add(std::move(node.waker));
    }
    return first_ != nullptr;
  }

 private:
  WaitNode* first_ = nullptr;
  WaitNode* last_ = nullptr;
};

}  // namespace skua
