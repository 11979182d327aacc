#include <skua/io/turns.hpp>

namespace skua {

Poll<Turns::Turn> Turns::poll(Wait& wait, const Waker& waker) {
  Waker old;  // dropped after the lock is released
  const seam::Lock lock(mutex_);
  if (wait.is_granted_ || (!wait.is_known_ && !taken_)) {
    taken_ = true;
    wait.is_granted_ = wait.is_known_ = false;
    return Turn(*this);
  }
  if (!wait.waker_.will_wake(waker)) old = std::exchange(wait.waker_, waker);
  if (!wait.is_known_) {
    wait.is_known_ = true;
    wait.previous_ = last_;
    (last_ == nullptr ? first_ : last_->next_) = &wait;
    last_ = &wait;
  }
  return pending;
}

void Turns::withdraw(Wait& wait) {
  Waker next;
  {
    const seam::Lock lock(mutex_);
    if (wait.is_granted_) {
      next = pass_on();
    } else {
      unlink(wait);
    }
  }
  std::move(next).wake();
}

void Turns::end_turn() {
  Waker next;
  {
    const seam::Lock lock(mutex_);
    next = pass_on();
  }
  std::move(next).wake();
}

Waker Turns::pass_on() {
  Wait* const next = first_;
  taken_ = next != nullptr;
  if (next == nullptr) return Waker();
  unlink(*next);
  next->is_granted_ = true;
  return std::move(next->waker_);
}

void Turns::unlink(Wait& wait) {
  (wait.previous_ == nullptr ? first_ : wait.previous_->next_) = wait.next_;
  (wait.next_ == nullptr ? last_ : wait.next_->previous_) = wait.previous_;
}

}  // namespace skua
