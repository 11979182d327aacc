#include <skua/core/budget.hpp>
#include <skua/sync/barrier.hpp>

namespace skua {

Poll<bool> Barrier::poll(Wait& wait, Context& context) {
  if (!budget::take(context)) return pending;
  Waker old;  // dropped after the lock is released
  {
    const seam::Lock lock(mutex_);
    if (wait.is_let_go_) {
      wait.is_known_ = false;
      return false;
    }
    if (wait.is_known_ || come_ + 1 < count_) {
      if (!wait.is_known_) {
        wait.is_known_ = true;
        wait.round_ = round_;
        waits_.push_back(wait);
        ++come_;
      }
      if (!wait.waker.will_wake(context.waker())) old = std::exchange(wait.waker, context.waker());
      budget::give_back();
      return pending;
    }
    come_ = 0;
    ++round_;
  }
  let_go();
  return true;
}

void Barrier::let_go() {
  for (bool more = true; more;) {
    WakeBatch batch;
    const seam::Lock lock(mutex_);
    more = false;
    // Who comes while the lock is released between two batches belongs to the next round.
    for (Wait* wait = waits_.front(); wait != nullptr && wait->round_ < round_; wait = waits_.front()) {
      if ((more = batch.is_full())) break;
      waits_.remove(*wait);
      wait->is_let_go_ = true;
      batch.add(std::move(wait->waker));
    }
  }
}

void Barrier::withdraw(Wait& wait) {
  const seam::Lock lock(mutex_);
  if (wait.is_let_go_) return;
  waits_.remove(wait);
  if (wait.round_ == round_) --come_;
}

bool Barrier::wait_blocking() { return sync::block_thread_on(wait()); }

}  // namespace skua
