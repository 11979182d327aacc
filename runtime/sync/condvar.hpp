// Condvar: tasks wait for what a Mutex guards to change; the mutex is free meanwhile.
//
//   auto guard = co_await queue.lock();
//   while (guard->empty()) guard = co_await not_empty.wait(std::move(guard));
//
// A wait may end without a notification: look again, as above.
// Cancel safety: a dropped wait holds no lock, and hands on a notify_one() that had chosen it.
// Thread safety: any thread, under any executor. No allocation. It must outlive its futures.
#pragma once

#include <skua/sync/mutex.hpp>
#include <skua/sync/notify.hpp>

#include <optional>
#include <utility>

namespace skua {

class Condvar {
 public:
  template <class T, class Owner>
  class Wait;

  /// A future of the guard, locked again. The mutex is unlocked when the wait has taken its place: whoever changes the
  /// state afterwards, and notifies, is heard.
  template <class T, class Owner>
  Wait<T, Owner> wait(MutexGuard<T, Owner> guard) noexcept {
    return Wait<T, Owner>(*this, notify_.notified(), std::move(guard));
  }
  /// Wakes who has waited longest, if anybody does.
  void notify_one() { notify_.notify(Notify::Which::first, Notify::IfNobody::forget); }
  void notify_all() { notify_.notify_waiters(); }

 private:
  Notify notify_;
};

template <class T, class Owner>
class [[nodiscard]] Condvar::Wait {
 public:
  Wait(Condvar& condvar, Notify::Notified notified, MutexGuard<T, Owner> guard) noexcept
      : condvar_(condvar), notified_(std::move(notified)), mutex_(guard.mutex()), guard_(std::move(guard)) {}
  /// Before the first poll only.
  Wait(Wait&& other) noexcept
      : condvar_(other.condvar_),
        notified_(std::move(other.notified_)),
        mutex_(other.mutex_),
        guard_(std::move(other.guard_)) {}
  ~Wait() {
    if (lock_ && !is_locked_) condvar_.notify_one();  // it was notified, and nobody has looked
  }

  Poll<MutexGuard<T, Owner>> poll(Context& context) {
    if (guard_) {
      notified_.enable();
      guard_.reset();
    }
    if (!lock_) {
      if (notified_.poll(context).is_pending()) return pending;
      lock_.emplace(mutex_);
    }
    auto guard = lock_->poll(context);
    is_locked_ = guard.is_ready();
    return guard;
  }

 private:
  Condvar& condvar_;
  Notify::Notified notified_;
  const Owner mutex_;
  std::optional<MutexGuard<T, Owner>> guard_;
  std::optional<MutexLock<T, Owner>> lock_;
  bool is_locked_ = false;
};

}  // namespace skua
