#include <skua/core/budget.hpp>
#include <skua/sync/notify.hpp>

namespace skua {

std::uint64_t Notify::rounds() noexcept {
  const seam::Lock lock(mutex_);
  return rounds_;
}

bool Notify::is_over(Notified& wait) {
  if (wait.is_known_) return wait.state_ != Notified::State::waits;
  if (wait.round_ != rounds_) return true;
  return std::exchange(is_kept_, false);
}

void Notify::enqueue(Notified& wait) {
  if (std::exchange(wait.is_known_, true)) return;
  waits_.push_back(wait);
}

Poll<void> Notify::poll(Notified& wait, const Waker& waker) {
  Waker old;  // dropped after the lock is released
  const seam::Lock lock(mutex_);
  if (is_over(wait)) {
    wait.is_known_ = false;
    return ready;
  }
  enqueue(wait);
  if (!wait.waker.will_wake(waker)) old = std::exchange(wait.waker, waker);
  return pending;
}

Poll<void> Notify::Notified::poll(Context& context) {
  if (!budget::take(context)) return pending;
  const Poll<void> result = notify_.poll(*this, context.waker());
  if (result.is_pending()) budget::give_back();
  return result;
}

bool Notify::Notified::enable() {
  const seam::Lock lock(notify_.mutex_);
  if (is_known_) return state_ != State::waits;
  const bool is_over = notify_.is_over(*this);
  if (is_over) {
    is_known_ = true;  // poll() finds it over
    state_ = round_ != notify_.rounds_ ? State::over : State::chosen;
  } else {
    notify_.enqueue(*this);
  }
  return is_over;
}

void Notify::notify(Which which, IfNobody if_nobody) {
  Waker waker;
  {
    const seam::Lock lock(mutex_);
    Notified* const wait = which == Which::first ? waits_.front() : waits_.back();
    if (wait == nullptr) {
      if (if_nobody == IfNobody::keep) is_kept_ = true;
      return;
    }
    waits_.remove(*wait);
    wait->state_ = Notified::State::chosen;
    waker = std::move(wait->waker);
  }
  std::move(waker).wake();
}

void Notify::notify_waiters() {
  std::uint64_t round = 0;
  for (bool more = true; more;) {
    WakeBatch batch;
    const seam::Lock lock(mutex_);
    if (round == 0) round = ++rounds_;
    more = false;
    // Who comes to wait while the lock is released between two batches has seen this round.
    for (Notified* wait = waits_.front(); wait != nullptr && wait->round_ < round; wait = waits_.front()) {
      if ((more = batch.is_full())) break;
      waits_.remove(*wait);
      wait->state_ = Notified::State::over;
      batch.add(std::move(wait->waker));
    }
  }
}

void Notify::withdraw(Notified& wait) {
  {
    const seam::Lock lock(mutex_);
    if (wait.state_ == Notified::State::waits) waits_.remove(wait);
    if (wait.state_ != Notified::State::chosen) return;
  }
  notify_one();
}

void Notify::wait_blocking() { sync::block_thread_on(notified()); }

}  // namespace skua
