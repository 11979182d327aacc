#include <skua/core/budget.hpp>
#include <skua/sync/semaphore.hpp>

#include <algorithm>

namespace skua {

Semaphore::Semaphore(std::size_t permits) : state_(permits * one_permit) {
  if (permits > max_permits) fail_fast("a Semaphore of more than Semaphore::max_permits", "Give it fewer");
}

std::size_t Semaphore::available_permits() const noexcept {
  return state_.load(std::memory_order_relaxed) / one_permit;  // relaxed: it may have changed when it is looked at
}

bool Semaphore::is_closed() const noexcept {
  // [SE1] acquire: who sees it closed sees what was done before. Pairs with [SE5].
  return (state_.load(std::memory_order_acquire) & closed) != 0;
}

Semaphore::Attempt Semaphore::try_take(std::size_t permits) noexcept {
  std::size_t seen = state_.load(std::memory_order_relaxed);  // relaxed: what follows acquires
  for (;;) {
    if ((seen & closed) != 0) {
      static_cast<void>(is_closed());  // [SE1]
      return Attempt::closed;
    }
    if ((seen & has_waiters) != 0 || seen / one_permit < permits) return Attempt::would_block;
    // [SE2] acquire: what was done under a permit that was given back is visible. Pairs with [SE4].
    // relaxed on failure: it is looked at again
    if (state_.compare_exchange_weak(seen, seen - permits * one_permit, std::memory_order_acquire,
                                     std::memory_order_relaxed)) {
      return Attempt::taken;
    }
  }
}

std::optional<bool> Semaphore::take_or_enqueue(Wait& wait) {
  std::size_t seen = state_.load(std::memory_order_relaxed);  // relaxed: as in try_take()
  for (;;) {
    if ((seen & closed) != 0) return std::nullopt;
    const bool is_next = (seen & has_waiters) == 0 || wait.place_ == Wait::Place::first;
    const bool enough = is_next && seen / one_permit >= wait.permits_;
    const std::size_t next = enough ? seen - wait.permits_ * one_permit : seen | has_waiters;
    // [SE3] acquire: as [SE2]; pairs with [SE4], [SE7]. relaxed on failure: it is looked at again
    if (state_.compare_exchange_weak(seen, next, std::memory_order_acquire, std::memory_order_relaxed)) {
      if (enough) return true;
      break;
    }
  }
  if (wait.place_ == Wait::Place::first) {
    waits_.push_front(wait);
  } else {
    waits_.push_back(wait);
  }
  return false;
}

Poll<bool> Semaphore::poll(Wait& wait, Context& context) {
  if (!budget::take(context)) return pending;
  if (!wait.is_known_) {
    const Attempt attempt = try_take(wait.permits_);
    if (attempt != Attempt::would_block) return attempt == Attempt::taken;
  }
  Waker old;  // dropped after the lock is released
  const seam::Lock lock(mutex_);
  if (wait.state_ != Wait::State::waits) {
    wait.is_known_ = false;
    return wait.state_ == Wait::State::granted;
  }
  if (!wait.is_known_) {
    const std::optional<bool> taken = take_or_enqueue(wait);
    if (!taken) return false;
    if (*taken) return true;
    wait.is_known_ = true;
  }
  if (!wait.waker.will_wake(context.waker())) old = std::exchange(wait.waker, context.waker());
  budget::give_back();
  return pending;
}

void Semaphore::release(std::size_t permits) {
  std::size_t seen = state_.load(std::memory_order_relaxed);  // relaxed: nothing is taken
  while ((seen & has_waiters) == 0) {
    if (permits > max_permits - seen / one_permit) {
      fail_fast("a Semaphore was given more than Semaphore::max_permits", "Release what was acquired, no more");
    }
    // [SE4] release: pairs with [SE2], [SE3], [SE6]. relaxed on failure: it is looked at again
    if (state_.compare_exchange_weak(seen, seen + permits * one_permit, std::memory_order_release,
                                     std::memory_order_relaxed)) {
      return;
    }
  }
  give_and_grant(permits);
}

void Semaphore::give_and_grant(std::size_t permits) {
  for (bool more = true; more; permits = 0) {
    WakeBatch batch;
    const seam::Lock lock(mutex_);
    // [SE7] release: as [SE4], for who comes when nobody waits any more; pairs with [SE2], [SE3], [SE6].
    state_.fetch_add(permits * one_permit, std::memory_order_release);
    more = grant(batch);
  }
}

bool Semaphore::grant(WakeBatch& batch) {
  while (Wait* const wait = waits_.front()) {
    if (batch.is_full()) return true;
    // relaxed: only who holds the mutex changes it while there is a waiter, or who gives back without one
    if (state_.load(std::memory_order_relaxed) / one_permit < wait->permits_) return false;
    // relaxed: what was given back before there was a waiter was seen by [SE3], the rest came by way of the mutex
    state_.fetch_sub(wait->permits_ * one_permit, std::memory_order_relaxed);
    wait->state_ = Wait::State::granted;
    batch.add(std::move(wait->waker));
    remove(*wait);
  }
  return false;
}

void Semaphore::remove(Wait& wait) {
  waits_.remove(wait);
  if (waits_.is_empty()) state_.fetch_and(~has_waiters, std::memory_order_relaxed);  // relaxed: changes no permits
}

void Semaphore::withdraw(Wait& wait) {
  std::size_t permits = 0;
  {
    const seam::Lock lock(mutex_);
    if (wait.state_ == Wait::State::refused) return;
    if (wait.state_ == Wait::State::granted) {
      permits = wait.permits_;
    } else {
      remove(wait);
    }
  }
  give_and_grant(permits);  // also if it only stood before others who want less
}

std::size_t Semaphore::forget_permits(std::size_t permits) {
  // The lock: what a grant has seen must still be there when it takes it.
  const seam::Lock lock(mutex_);
  std::size_t seen = state_.load(std::memory_order_relaxed);  // relaxed: the exchange below acquires
  for (;;) {
    const std::size_t count = std::min(permits, seen / one_permit);
    // [SE6] acquire: as [SE2]; pairs with [SE4], [SE7]. relaxed on failure: it is looked at again
    if (state_.compare_exchange_weak(seen, seen - count * one_permit, std::memory_order_acquire,
                                     std::memory_order_relaxed)) {
      return count;
    }
  }
}

void Semaphore::close() {
  for (bool more = true; more;) {
    WakeBatch batch;
    const seam::Lock lock(mutex_);
    // [SE5] release: pairs with [SE1].
    state_.fetch_or(closed, std::memory_order_release);
    more = false;
    while (Wait* const wait = waits_.front()) {
      if ((more = batch.is_full())) break;
      wait->state_ = Wait::State::refused;
      batch.add(std::move(wait->waker));
      remove(*wait);
    }
  }
}

Result<SemaphorePermit<Semaphore*>> Semaphore::try_acquire(std::size_t permits) {
  switch (try_take(permits)) {
    case Attempt::taken: return SemaphorePermit<Semaphore*>(this, permits);
    case Attempt::would_block: return Error(SyncError::would_block, "acquire");
    case Attempt::closed: break;
  }
  return Error(SyncError::closed, "acquire");
}

Result<SemaphorePermit<std::shared_ptr<Semaphore>>> Semaphore::try_acquire_owned(std::shared_ptr<Semaphore> semaphore,
                                                                                 std::size_t permits) {
  auto borrowed = semaphore->try_acquire(permits);
  if (!borrowed) return std::move(borrowed).error();
  return SemaphorePermit<std::shared_ptr<Semaphore>>(std::move(semaphore), borrowed->forget());
}

Result<SemaphorePermit<Semaphore*>> Semaphore::acquire_blocking(std::size_t permits) {
  return sync::block_thread_on(acquire(permits));
}

}  // namespace skua
