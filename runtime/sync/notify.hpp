// Notify: tells one waiting task, or all, that something has happened. Carries no value.
//
//   Notify changed;                         // beside the state that it is about
//   co_await changed.notified();            // a task
//   changed.notify_one();                   // another, after it has changed the state
//
// notify_one() wakes who has waited longest. If nobody waits it is kept, once, for the next who does: a single consumer
// that looks at the state after each notified() misses nothing. notify_waiters() ends every wait whose notified() had
// been called, polled or not, and keeps nothing.
// Cancel safety: a dropped wait that notify_one() had chosen hands the notification on.
// Thread safety: any thread, under any executor. No allocation. It must outlive its futures.
#pragma once

#include <skua/core/context.hpp>
#include <skua/core/mutex.hpp>
#include <skua/core/poll.hpp>
#include <skua/core/wait_list.hpp>
#include <skua/sync/block_thread_on.hpp>

#include <cstdint>

namespace skua {

class Notify {
 public:
  Notify() = default;
  Notify(const Notify&) = delete;
  Notify& operator=(const Notify&) = delete;

  class Notified;
  /// Cancel safety: see above; the place in the queue is lost.
  Notified notified() noexcept;
  /// For a thread that runs no tasks, which sleeps.
  void wait_blocking();

  void notify_one() { notify(Which::first, IfNobody::keep); }
  /// As notify_one(), but it wakes who came last: of many workers the one whose data may still be in the cache.
  void notify_last() { notify(Which::last, IfNobody::keep); }
  void notify_waiters();

 private:
  friend class Condvar;

  enum class Which { first, last };
  enum class IfNobody { keep, forget };
  void notify(Which which, IfNobody if_nobody);
  Poll<void> poll(Notified& wait, const Waker& waker);
  bool is_over(Notified& wait) SKUA_REQUIRES(mutex_);
  void enqueue(Notified& wait) SKUA_REQUIRES(mutex_);
  void withdraw(Notified& wait);
  std::uint64_t rounds() noexcept;

  seam::Mutex mutex_;
  WaitList<Notified> waits_ SKUA_GUARDED_BY(mutex_);
  bool is_kept_ SKUA_GUARDED_BY(mutex_) = false;      // a notify_one() that nobody has seen
  std::uint64_t rounds_ SKUA_GUARDED_BY(mutex_) = 0;  // of notify_waiters()
};

/// A future of nothing.
class [[nodiscard]] Notify::Notified : private WaitNode {
 public:
  /// Before the first poll only.
  Notified(Notified&& other) noexcept : WaitNode(), notify_(other.notify_), round_(other.round_) {
    SKUA_ASSERT(!other.is_known_);
  }
  ~Notified() {
    if (is_known_) notify_.withdraw(*this);
  }
  Poll<void> poll(Context& context);
  /// Takes its place in the queue now, not at the first poll. True: it has been notified already.
  bool enable();

 private:
  friend class Notify;
  friend class WaitList<Notified>;
  enum class State { waits, chosen, over };  // chosen: by notify_one(); over: by notify_waiters()

  explicit Notified(Notify& notify) noexcept : notify_(notify), round_(notify.rounds()) {}

  Notify& notify_;
  const std::uint64_t round_;   // how many there had been when notified() was called
  bool is_known_ = false;       // the future's own: it is in the list, or has been taken off by who notified it
  State state_ = State::waits;  // guarded by the mutex
};

inline Notify::Notified Notify::notified() noexcept { return Notified(*this); }

}  // namespace skua
