// Mutex<T>: a value that one task at a time may use, for as long as it holds the guard, also over a co_await.
//
//   Mutex<std::vector<int>> numbers;
//   auto guard = co_await numbers.lock();
//   guard->push_back(1);
//
// Mutex<> guards no value of its own. For a critical section without a co_await a std::mutex is cheaper.
// Fair: first come first served. A task that dies or throws with the guard unlocks; the value is as it left it.
// Cancel safety: a dropped lock() has locked nothing; if the lock had been given to it, it goes on to the next. A task
// that waits and is never polled again holds up those behind it: drop its future.
// Thread safety: any thread, under any executor. No allocation. It must outlive its futures and guards, or see
// lock_owned().
#pragma once

#include <skua/sync/semaphore.hpp>

#include <memory>
#include <utility>
#include <variant>

namespace skua {

template <class T, class Owner>
class MutexGuard;
template <class T, class Owner>
class MutexLock;

template <class T = std::monostate>
class Mutex {
 public:
  template <class... Args>
  explicit Mutex(Args&&... args) : value_(std::forward<Args>(args)...) {}
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  /// Ready with a MutexGuard. Cancel safety: see above; the place in the queue is lost.
  MutexLock<T, Mutex*> lock() noexcept { return MutexLock<T, Mutex*>(this); }
  /// None if it is locked, or others wait for it.
  std::optional<MutexGuard<T, Mutex*>> try_lock() noexcept {
    if (turn_.try_take(1) != Semaphore::Attempt::taken) return std::nullopt;
    return MutexGuard<T, Mutex*>(this);
  }
  /// For a thread that runs no tasks, which sleeps.
  MutexGuard<T, Mutex*> lock_blocking() { return sync::block_thread_on(lock()); }

  /// Future and guard keep the mutex alive: they may be moved to other tasks.
  static MutexLock<T, std::shared_ptr<Mutex>> lock_owned(std::shared_ptr<Mutex> mutex) noexcept {
    return MutexLock<T, std::shared_ptr<Mutex>>(std::move(mutex));
  }
  static std::optional<MutexGuard<T, std::shared_ptr<Mutex>>> try_lock_owned(std::shared_ptr<Mutex> mutex) noexcept {
    if (mutex->turn_.try_take(1) != Semaphore::Attempt::taken) return std::nullopt;
    return MutexGuard<T, std::shared_ptr<Mutex>>(std::move(mutex));
  }

  /// For who has the mutex for himself.
  T& value_unlocked() noexcept { return value_; }

 private:
  template <class, class>
  friend class MutexGuard;
  template <class, class>
  friend class MutexLock;

  Semaphore turn_{1};
  T value_;
};

/// Holds the mutex until it goes. `Owner` points to the mutex. Move-only; moved from, it holds nothing.
template <class T, class Owner = Mutex<T>*>
class [[nodiscard]] MutexGuard {
 public:
  MutexGuard(MutexGuard&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
  MutexGuard& operator=(MutexGuard&& other) noexcept {
    std::swap(mutex_, other.mutex_);
    return *this;
  }
  ~MutexGuard() {
    if (mutex_ != nullptr) mutex_->turn_.release(1);
  }

  T& operator*() const noexcept { return mutex_->value_; }
  T* operator->() const noexcept { return &mutex_->value_; }
  /// The mutex that it holds: a Condvar asks for it.
  const Owner& mutex() const noexcept { return mutex_; }

 private:
  friend class Mutex<T>;
  friend class MutexLock<T, Owner>;
  explicit MutexGuard(Owner mutex) noexcept : mutex_(std::move(mutex)) {}

  Owner mutex_;
};

/// A future of MutexGuard<T, Owner>.
template <class T, class Owner>
class [[nodiscard]] MutexLock {
 public:
  explicit MutexLock(Owner mutex) noexcept : mutex_(std::move(mutex)), wait_(mutex_->turn_, 1) {}
  Poll<MutexGuard<T, Owner>> poll(Context& context) {
    if (wait_.poll(context).is_pending()) return pending;
    return MutexGuard<T, Owner>(mutex_);
  }

 private:
  Owner mutex_;
  Semaphore::Wait wait_;
};

}  // namespace skua
