// RwLock<T>: a value that many tasks may read, or one may change, for as long as they hold a guard.
//
//   RwLock<Settings> settings;
//   auto reader = co_await settings.read();
//   auto writer = co_await settings.write();
//
// Fair: first come first served; who comes to read waits behind a writer that waits, so no writer starves. A task that
// reads and asks to read again may therefore wait for ever: hold one guard.
// An upgradable guard reads, beside other readers but never beside a second upgradable one, and becomes a writer when
// these readers have gone, before every writer that waits: nothing changes between.
// Cancel safety: a dropped future has locked nothing; what had been given to it goes on to the next.
// Thread safety: any thread, under any executor. No allocation. It must outlive its futures and guards.
//
// How it works: a Semaphore with a permit for each reader; a writer takes them all.
#pragma once

#include <skua/sync/semaphore.hpp>

#include <optional>
#include <utility>

namespace skua {

template <class T>
class RwLock;

namespace sync {

/// Holds `permits` of a lock's readers.
template <class T>
class RwHold {
 public:
  RwHold(RwLock<T>& lock, std::size_t permits) noexcept : lock_(&lock), permits_(permits) {}
  RwHold(RwHold&& other) noexcept : lock_(other.lock_), permits_(std::exchange(other.permits_, 0)) {}
  RwHold& operator=(RwHold&& other) noexcept {
    std::swap(lock_, other.lock_);
    std::swap(permits_, other.permits_);
    return *this;
  }
  ~RwHold() { keep(0); }

  RwLock<T>& lock() const noexcept { return *lock_; }
  /// Gives back all but `permits`.
  void keep(std::size_t permits) noexcept {
    const std::size_t given = std::exchange(permits_, permits) - permits;
    if (given > 0) lock_->readers_.release(given);
  }
  std::size_t forget() noexcept { return std::exchange(permits_, 0); }

 private:
  RwLock<T>* lock_;
  std::size_t permits_;
};

}  // namespace sync

/// Many at a time. Move-only.
template <class T>
class [[nodiscard]] ReadGuard {
 public:
  explicit ReadGuard(sync::RwHold<T> hold) noexcept : hold_(std::move(hold)) {}
  const T& operator*() const noexcept { return hold_.lock().value_; }
  const T* operator->() const noexcept { return &hold_.lock().value_; }

 private:
  sync::RwHold<T> hold_;
};

/// One, and no reader beside it. Move-only.
template <class T>
class [[nodiscard]] WriteGuard {
 public:
  explicit WriteGuard(sync::RwHold<T> hold) noexcept : hold_(std::move(hold)) {}
  T& operator*() const noexcept { return hold_.lock().value_; }
  T* operator->() const noexcept { return &hold_.lock().value_; }
  /// Reads from now on, with others; no writer comes between.
  ReadGuard<T> downgrade() && noexcept {
    hold_.keep(1);
    return ReadGuard<T>(std::move(hold_));
  }

 private:
  sync::RwHold<T> hold_;
};

/// Reads, and may become the writer. Move-only.
template <class T>
class [[nodiscard]] UpgradableGuard {
 public:
  UpgradableGuard(sync::RwHold<T> hold, SemaphorePermit<> right) noexcept
      : right_(std::move(right)), hold_(std::move(hold)) {}
  const T& operator*() const noexcept { return hold_.lock().value_; }
  const T* operator->() const noexcept { return &hold_.lock().value_; }
  /// Lets another upgradable guard come.
  ReadGuard<T> downgrade() && noexcept {
    const SemaphorePermit<> gone = std::move(right_);
    return ReadGuard<T>(std::move(hold_));
  }

  class Upgrade;
  /// A future of the WriteGuard, ready when the other readers have gone; they should be on their way. Cancel safety:
  /// dropped, it has given the guard up.
  Upgrade upgrade() && noexcept { return Upgrade(std::move(*this)); }

 private:
  SemaphorePermit<> right_;
  sync::RwHold<T> hold_;
};

template <class T>
class RwLock {
 public:
  template <class... Args>
  explicit RwLock(Args&&... args) : value_(std::forward<Args>(args)...) {}
  RwLock(const RwLock&) = delete;
  RwLock& operator=(const RwLock&) = delete;

  template <class Guard>
  class Acquire;
  /// Futures of the guards. Cancel safety: see above; the place in the queue is lost.
  Acquire<ReadGuard<T>> read() noexcept { return {*this, 1}; }
  Acquire<WriteGuard<T>> write() noexcept { return {*this, all}; }
  class AcquireUpgradable;
  AcquireUpgradable read_upgradable() noexcept { return AcquireUpgradable(*this); }

  /// None if somebody is in the way, or waits.
  std::optional<ReadGuard<T>> try_read() noexcept { return try_acquire<ReadGuard<T>>(1); }
  std::optional<WriteGuard<T>> try_write() noexcept { return try_acquire<WriteGuard<T>>(all); }

  /// For threads that run no tasks, which sleep.
  ReadGuard<T> read_blocking() { return sync::block_thread_on(read()); }
  WriteGuard<T> write_blocking() { return sync::block_thread_on(write()); }

  /// For who has the lock for himself.
  T& value_unlocked() noexcept { return value_; }

 private:
  friend class sync::RwHold<T>;
  friend class ReadGuard<T>;
  friend class WriteGuard<T>;
  friend class UpgradableGuard<T>;

  static constexpr std::size_t all = std::size_t{1} << 29;

  template <class Guard>
  std::optional<Guard> try_acquire(std::size_t permits) noexcept {
    if (readers_.try_take(permits) != Semaphore::Attempt::taken) return std::nullopt;
    return guard<Guard>(permits);
  }
  /// Guards are made by the lock alone.
  template <class Guard>
  Guard guard(std::size_t permits) noexcept {
    return Guard(sync::RwHold<T>(*this, permits));
  }

  Semaphore readers_{all};
  Semaphore upgradable_{1};
  T value_;
};

template <class T>
template <class Guard>
class [[nodiscard]] RwLock<T>::Acquire {
 public:
  Acquire(RwLock& lock, std::size_t permits) noexcept : lock_(lock), wait_(lock.readers_, permits) {}
  Poll<Guard> poll(Context& context) {
    if (wait_.poll(context).is_pending()) return pending;
    return lock_.template guard<Guard>(wait_.permits());
  }

 private:
  RwLock& lock_;
  Semaphore::Wait wait_;
};

template <class T>
class [[nodiscard]] RwLock<T>::AcquireUpgradable {
 public:
  explicit AcquireUpgradable(RwLock& lock) noexcept
      : lock_(lock), right_(lock.upgradable_.acquire()), read_(lock.readers_, 1) {}
  Poll<UpgradableGuard<T>> poll(Context& context) {
    if (!permit_) {
      auto right = right_.poll(context);
      if (right.is_pending()) return pending;
      permit_.emplace(std::move(right.value()).value());
    }
    if (read_.poll(context).is_pending()) return pending;
    return UpgradableGuard<T>(sync::RwHold<T>(lock_, 1), *std::move(permit_));
  }

 private:
  RwLock& lock_;
  SemaphoreAcquire<Semaphore*> right_;
  std::optional<SemaphorePermit<>> permit_;
  Semaphore::Wait read_;
};

template <class T>
class [[nodiscard]] UpgradableGuard<T>::Upgrade {
 public:
  explicit Upgrade(UpgradableGuard guard) noexcept
      : guard_(std::move(guard)),
        others_(guard_.hold_.lock().readers_, RwLock<T>::all - 1, Semaphore::Wait::Place::first) {}
  Poll<WriteGuard<T>> poll(Context& context) {
    if (others_.poll(context).is_pending()) return pending;
    RwLock<T>& lock = guard_.hold_.lock();
    guard_.hold_.forget();
    {
      const SemaphorePermit<> gone = std::move(guard_.right_);
    }
    return WriteGuard<T>(sync::RwHold<T>(lock, RwLock<T>::all));
  }

 private:
  UpgradableGuard guard_;
  Semaphore::Wait others_;
};

}  // namespace skua
