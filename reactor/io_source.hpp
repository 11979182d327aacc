// IoSource: a non-blocking descriptor, what is known of its readiness, and who waits for it.
//
// An operation tries its system call whenever the direction is ready, which it is taken to be at first. If the call
// would block, it clears the readiness it had seen and waits; the first wait registers the descriptor with the driver
// of the thread that waits (the worker's own), where it stays: its events wake the task on that worker, which makes it
// the task's home.
//
// Ownership: the last Ref closes the descriptor. A registered one is handed to the driver, which closes it once the
// kernel has let go of it. No memory of a waiting future is ever lent to the kernel. release() gives the descriptor
// back.
//
// Thread safety: any thread, any number of waiters in each direction. Lock order: registration, driver, waiters. Wakers
// are woken with no lock held.
#pragma once

#include <skua/core/context.hpp>
#include <skua/core/mutex.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/result.hpp>
#include <skua/reactor/poller.hpp>
#include <skua/reactor/readiness.hpp>

#include <array>
#include <vector>

namespace skua::reactor {

class Driver;

/// `exceptional` is what select() calls so: urgent data (EPOLLPRI), an error, a hang-up.
enum class Direction : std::uint8_t { read, write, exceptional };

class IoSource : public RefCounted<IoSource> {
 public:
  /// Owns `fd`, which must be non-blocking. Not registered with any driver yet.
  explicit IoSource(int fd) noexcept;
  ~IoSource();

  int fd() const noexcept { return fd_; }

  Readiness::Snapshot snapshot(Direction direction) const noexcept { return of(direction).snapshot(); }
  /// See Readiness.
  void clear(Direction direction, Readiness::Snapshot seen) noexcept { of(direction).clear(seen); }
  void would_block(Direction direction, Readiness::Snapshot seen) noexcept { of(direction).would_block(seen); }

  /// Ends the watch and gives the descriptor to the caller. Requires that nobody waits, and nobody will.
  [[nodiscard]] int release();

  /// Whether a read that brought less than there was room for has emptied the descriptor.
  bool short_read_drains() const noexcept {
    // relaxed: set before the event that announces such data is noted ([RD2]); who has seen the event sees it
    return !reads_stop_early_.load(std::memory_order_relaxed);
  }
  /// From now on a short read does not mean that nothing is left: reads stop at marks in the data.
  void expect_short_reads() noexcept {
    reads_stop_early_.store(true, std::memory_order_relaxed);  // relaxed: as above
  }

  /// A place in the list of those who wait. Lives in the waiting future; gone from the list when it is destroyed.
  class Waiter {
   public:
    explicit Waiter(IoSource& source) noexcept : source_(source) {}
    ~Waiter() {
      // [IO3] acquire: an event that took the waiter out of the list is done with it; pairs with [IO4].
      if (linked_.load(std::memory_order_acquire)) source_.withdraw(*this);
    }
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

   private:
    friend class IoSource;
    IoSource& source_;
    seam::Atomic<bool> linked_{false};  // set by the future; cleared, as the last touch, by whoever takes it out
    // Guarded by the source's waiters_mutex_
    Direction direction_ = Direction::read;
    Waker waker_;
    Waiter* next_ = nullptr;
    Waiter* previous_ = nullptr;
  };

  /// True if the direction became ready meanwhile; else `waiter` is enlisted, and woken by the next event. An error
  /// means that the descriptor cannot be watched.
  Result<bool> wait_ready(Direction direction, Waiter& waiter, const Waker& waker);

  /// Whether a driver watches the descriptor, or did until it was shut down.
  bool is_registered() const noexcept {
    return registered_.load(std::memory_order_relaxed);  // relaxed: who goes on to wait looks again
  }

  // For the driver
  /// Notes an event and moves the wakers of those it concerns to `woken`.
  void on_event(std::uint32_t mask, std::vector<Waker>& woken);
  /// The kernel does not watch the descriptor any more: whoever waits is woken. The first wait from now on reports
  /// `error`, unless it is 0; the next one has the descriptor watched again.
  void on_watch_ended(int error, std::vector<Waker>& woken);
  /// The driver has been shut down: everybody who waits is woken, and nobody waits any more.
  void on_shutdown(std::vector<Waker>& woken);
  /// POLLIN, POLLOUT, POLLPRI: what somebody waits for.
  short awaited_events();

 private:
  Readiness& of(Direction direction) noexcept { return readiness_[static_cast<std::size_t>(direction)]; }
  const Readiness& of(Direction direction) const noexcept { return readiness_[static_cast<std::size_t>(direction)]; }
  Result<void> ensure_registered();
  bool is_linked(const Waiter& waiter) const noexcept SKUA_REQUIRES(waiters_mutex_);
  void withdraw(Waiter& waiter);
  void unlink(Waiter& waiter) SKUA_REQUIRES(waiters_mutex_);
  void take_wakers(Direction direction, std::vector<Waker>& woken) SKUA_REQUIRES(waiters_mutex_);

  int fd_;                              // -1: released
  std::array<Readiness, 3> readiness_;  // by Direction
  seam::Atomic<bool> reads_stop_early_{false};
  seam::Mutex waiters_mutex_;
  Waiter* waiters_ SKUA_GUARDED_BY(waiters_mutex_) = nullptr;
  bool is_unwatched_ SKUA_GUARDED_BY(waiters_mutex_) = false;  // since on_watch_ended()
  int watch_error_ SKUA_GUARDED_BY(waiters_mutex_) = 0;        // not reported yet
  seam::Mutex registration_mutex_;
  Ref<Driver> driver_;  // written once, under registration_mutex_
  Token token_ = 0;
  seam::Atomic<bool> registered_{false};
};

}  // namespace skua::reactor
