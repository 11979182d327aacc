// The model's side of core/mutex.hpp.
//
// try_lock() may fail although the mutex is free, and a wait may end for no reason (in random searches: in the
// exhaustive ones that would multiply the interleavings by those of ten such wakeups). A thread that only such a wakeup
// could save counts as dead: a lost notification is reported as a deadlock. A wait with a deadline may end at any time.
#pragma once

#include <skua/model/relacy.hpp>

#include <source_location>

namespace skua::seam {

class SKUA_THREAD_ANNOTATION(capability("mutex")) Mutex {
  using Place = std::source_location;

 public:
  void lock(Place at = Place::current()) SKUA_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(model::place(at)); }
  void unlock(Place at = Place::current()) SKUA_THREAD_ANNOTATION(release_capability()) {
    mutex_.unlock(model::place(at));
  }
  bool try_lock(Place at = Place::current()) SKUA_THREAD_ANNOTATION(try_acquire_capability(true)) {
    return mutex_.try_lock(model::place(at));
  }

 private:
  friend class Condvar;
  rl::mutex mutex_;
};

class Condvar {
  using Place = std::source_location;

 public:
  Condvar() { condition_.init(rl::ctx().is_random_sched(), model::place(Place::current())); }
  ~Condvar() { condition_.deinit(model::place(Place::current())); }
  Condvar(const Condvar&) = delete;
  Condvar& operator=(const Condvar&) = delete;

  void wait(Mutex& mutex, Place at = Place::current()) SKUA_REQUIRES(mutex) {
    condition_.wait(mutex.mutex_, false, model::place(at));
  }
  // The deadline may have passed at any moment.
  void wait_until(Mutex& mutex, Instant, Place at = Place::current()) SKUA_REQUIRES(mutex) {
    condition_.wait(mutex.mutex_, true, model::place(at));
  }
  void notify_one(Place at = Place::current()) { condition_.notify_one(model::place(at)); }
  void notify_all(Place at = Place::current()) { condition_.notify_all(model::place(at)); }

 private:
  rl::condvar<Condvar> condition_;
};

}  // namespace skua::seam
