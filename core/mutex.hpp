// The mutex seam: std::mutex and std::condition_variable with clang's thread-safety annotations.
//
// Members that a mutex protects are marked SKUA_GUARDED_BY, functions that expect it held SKUA_REQUIRES;
// clang then refuses code that forgets the lock. Under SKUA_MODEL the model checker's mutex stands in.
#pragma once

#include <skua/core/clock.hpp>

#if defined(__clang__)
#define SKUA_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define SKUA_THREAD_ANNOTATION(x)
#endif
#define SKUA_GUARDED_BY(mutex) SKUA_THREAD_ANNOTATION(guarded_by(mutex))
#define SKUA_REQUIRES(mutex) SKUA_THREAD_ANNOTATION(requires_capability(mutex))

#if defined(SKUA_MODEL)
#include <skua/model/mutex.hpp>
#else
#include <condition_variable>
#include <mutex>

namespace skua::seam {

class SKUA_THREAD_ANNOTATION(capability("mutex")) Mutex {
 public:
  void lock() SKUA_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
  void unlock() SKUA_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }
  bool try_lock() SKUA_THREAD_ANNOTATION(try_acquire_capability(true)) { return mutex_.try_lock(); }

 private:
  friend class Condvar;
  std::mutex mutex_;
};

/// A condition variable. wait() may return spuriously: call it in a loop.
class Condvar {
 public:
  void wait(Mutex& mutex) SKUA_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  /// As wait(), until `deadline` at most; the caller looks at the clock. Instant::max() is no deadline.
  void wait_until(Mutex& mutex, Instant deadline) SKUA_REQUIRES(mutex) {
    if (deadline == Instant::max()) return wait(mutex);
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait_until(lock, deadline);
    lock.release();
  }
  void notify_one() noexcept { condition_.notify_one(); }
  void notify_all() noexcept { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace skua::seam
#endif

namespace skua::seam {

/// Holds `Mutex` from construction to destruction.
class SKUA_THREAD_ANNOTATION(scoped_lockable) Lock {
 public:
  explicit Lock(Mutex& mutex) SKUA_THREAD_ANNOTATION(acquire_capability(mutex)) : mutex_(mutex) { mutex_.lock(); }
  ~Lock() SKUA_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace skua::seam
