#include <skua/core/assert.hpp>
#include <skua/task/cancellation_token.hpp>

namespace skua {

CancellationNode* CancellationNode::make(CancellationNode* parent) {
  if (parent == nullptr) return new CancellationNode(nullptr);
  auto* const child = new CancellationNode(parent);
  parent->add_owner();
  if (!parent->adopt(*child)) {
    // relaxed: nobody else has the child yet; what came before the cancel, the caller has seen in adopt()
    child->reason_.store(static_cast<std::uint32_t>(*parent->reason()), std::memory_order_relaxed);
  }
  return child;
}

// False: this node is cancelled. Under the lock: cancel_one() comes before, and is seen, or after, and finds the child.
bool CancellationNode::adopt(CancellationNode& child) noexcept {
  const seam::Lock lock(mutex_);
  if (reason()) return false;
  child.is_linked_ = true;
  child.next_ = first_child_;
  if (first_child_ != nullptr) first_child_->previous_ = &child;
  first_child_ = &child;
  return true;
}

void CancellationNode::unlink(CancellationNode& child) {
  child.is_linked_ = false;
  (child.previous_ == nullptr ? first_child_ : child.previous_->next_) = child.next_;
  if (child.next_ != nullptr) child.next_->previous_ = child.previous_;
  child.next_ = child.previous_ = nullptr;
}

void CancellationNode::add_owner() noexcept {
  // relaxed: whoever adds an owner has one, which keeps the node alive
  owners_.fetch_add(1, std::memory_order_relaxed);
}

// For who found the node in its parent's list: it cannot be freed as long as the parent's lock is held, but may be
// dead.
bool CancellationNode::add_owner_unless_dead() noexcept {
  std::uint32_t owners = owners_.load(std::memory_order_relaxed);  // relaxed: the first guess of the compare-exchange
  while (owners != 0) {
    // relaxed: as add_owner()
    if (owners_.compare_exchange_weak(owners, owners + 1, std::memory_order_relaxed)) return true;
  }
  return false;
}

// A loop: a chain of tokens may be long.
void CancellationNode::drop_owner(CancellationNode* node) noexcept {
  // [CT1] acq_rel: the last owner sees what all the others did; pairs with itself.
  while (node != nullptr && node->owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    CancellationNode* const parent = node->parent_;
    if (parent != nullptr) {
      const seam::Lock lock(parent->mutex_);
      if (node->is_linked_) parent->unlink(*node);
    }
    delete node;
    node = parent;
  }
}

std::optional<CancelReason> CancellationNode::reason() const noexcept {
  // [CT2] acquire: what came before cancel() is seen; pairs with [CT3].
  const std::uint32_t reason = reason_.load(std::memory_order_acquire);
  if (reason == 0) return std::nullopt;
  return static_cast<CancelReason>(reason);
}

bool CancellationNode::cancel(CancelReason reason) noexcept {
  CancellationNode* children = nullptr;
  const bool was_first = cancel_one(reason, children);
  while (CancellationNode* const child = children) {
    children = child->next_;
    child->cancel_one(reason, children);
    drop_owner(child);
  }
  return was_first;
}

bool CancellationNode::cancel_one(CancelReason reason, CancellationNode*& children) noexcept {
  {
    WakeBatch batch;
    const seam::Lock lock(mutex_);
    if (reason_.load(std::memory_order_relaxed) != 0) return false;  // relaxed: it is written under this lock
    // [CT3] release: pairs with [CT2].
    reason_.store(static_cast<std::uint32_t>(reason), std::memory_order_release);
    while (CancellationNode* const child = first_child_) {
      unlink(*child);
      if (!child->add_owner_unless_dead()) continue;  // its last owner waits for our lock
      child->next_ = children;
      children = child;
    }
    if (!waiters_.move_wakers(batch)) return true;
  }
  for (bool more = true; more;) {
    WakeBatch batch;
    const seam::Lock lock(mutex_);
    more = waiters_.move_wakers(batch);
  }
  return true;
}

bool CancellationNode::poll(WaitNode& waiter, const Waker& waker) {
  Waker old;  // dropped after the lock is released
  const seam::Lock lock(mutex_);
  // Under the lock: cancel_one() comes before, and is seen, or after, and wakes.
  if (reason()) return true;
  old = waiters_.enlist(waiter, waker);
  return false;
}

void CancellationNode::withdraw(WaitNode& waiter) noexcept {
  const seam::Lock lock(mutex_);
  if (waiter.is_listed) waiters_.remove(waiter);
}

}  // namespace skua
