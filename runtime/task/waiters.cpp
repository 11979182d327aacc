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

Waiters::Node* Waiters::pop() noexcept {
  Node* const node = first_;
  if (node != nullptr) withdraw(*node);
  return node;
}

void wake_all(seam::Mutex& mutex, Waiters& waiters) noexcept {
  for (;;) {
    std::array<Waker, 16> batch;
    std::size_t count = 0;
    {
      const seam::Lock lock(mutex);
      while (count < batch.size()) {
        Waiters::Node* const node = waiters.pop();
        if (node == nullptr) break;
        batch[count++] = std::move(node->waker);
      }
    }
    for (std::size_t i = 0; i < count; ++i) std::move(batch[i]).wake();
    if (count < batch.size()) return;
  }
}

}  // namespace skua
