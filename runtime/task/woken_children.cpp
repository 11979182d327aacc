#include <skua/task/woken_children.hpp>

namespace skua {

std::size_t WokenChildren::begin_round(const Waker& parent) {
  Waker replaced = parent;  // cloned before, and the old one dropped after, the lock is held
  const seam::Lock lock(mutex_);
  if (!parent_.will_wake(replaced)) std::swap(parent_, replaced);
  return count_;
}

WokenChild* WokenChildren::take_first() noexcept {
  WokenChild* const child = first_;
  if (child == nullptr) return nullptr;
  unlink(*child);
  child->state_ = WokenChild::State::idle;
  return child;
}

WokenChild* WokenChildren::next_woken() noexcept {
  const seam::Lock lock(mutex_);
  return take_first();
}

WokenChild* WokenChildren::next_woken(const Waker& parent) {
  Waker old;  // dropped after the lock is released
  const seam::Lock lock(mutex_);
  WokenChild* const child = take_first();
  if (child == nullptr && !parent_.will_wake(parent)) old = std::exchange(parent_, parent);
  return child;
}

void WokenChildren::wake(WokenChild& child) noexcept {
  Waker parent;
  {
    const seam::Lock lock(mutex_);
    if (child.state_ != WokenChild::State::idle) return;
    child.state_ = WokenChild::State::woken;
    append(child);
    parent = std::move(parent_);
  }
  std::move(parent).wake();
}

void WokenChildren::remove(WokenChild& child) noexcept {
  const seam::Lock lock(mutex_);
  if (child.state_ == WokenChild::State::woken) unlink(child);
  child.state_ = WokenChild::State::removed;
}

void WokenChildren::forget_parent() noexcept {
  Waker parent;
  const seam::Lock lock(mutex_);
  std::swap(parent, parent_);
}

void WokenChildren::append(WokenChild& child) noexcept {
  child.previous_ = last_;
  child.next_ = nullptr;
  (last_ != nullptr ? last_->next_ : first_) = &child;
  last_ = &child;
  ++count_;
}

void WokenChildren::unlink(WokenChild& child) noexcept {
  (child.previous_ != nullptr ? child.previous_->next_ : first_) = child.next_;
  (child.next_ != nullptr ? child.next_->previous_ : last_) = child.previous_;
  --count_;
}

}  // namespace skua
