#include <skua/task/waiters.hpp>

namespace skua {

Waker Waiters::enlist(Node& node, const Waker& waker) {
  if (!node.is_listed) {
    node.is_listed = true;
    node.next = nullptr;
    node.previous = last_;
    (last_ == nullptr ? first_ : last_->next) = &node;
    last_ = &node;
  } else if (node.waker.will_wake(waker)) {
    return Waker();
  }
  return std::exchange(node.waker, waker);
}

void Waiters::withdraw(Node& node) noexcept {
  if (!node.is_listed) return;
  node.is_listed = false;
  (node.previous == nullptr ? first_ : node.previous->next) = node.next;
  (node.next == nullptr ? last_ : node.next->previous) = node.previous;
}

void Waiters::take(Batch& batch) noexcept {
  while (first_ != nullptr && batch.size_ < batch.wakers_.size()) {
    Node& node = *first_;
    withdraw(node);
    batch.wakers_[batch.size_++] = std::move(node.waker);
  }
}

bool Waiters::Batch::wake() noexcept {
  const std::size_t count = std::exchange(size_, 0);
  for (std::size_t i = 0; i < count; ++i) std::move(wakers_[i]).wake();
  return count == wakers_.size();
}

}  // namespace skua
