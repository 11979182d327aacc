// Semaphore: a number of permits that tasks take and give back; who finds too few waits, first come first served.
//
//   Semaphore connections(100);
//   SemaphorePermit<> permit = co_await try_(connections.acquire());
//
// Invariant: permits that are free, held, and granted to waiters who have not looked yet are together what there were
// at first, plus those added, minus those forgotten. While somebody waits nobody passes him: a free permit may then lie
// there for who waits for many.
// How it works: `state_` holds the free permits, whether somebody waits, and whether it is closed. Without a waiter it
// is the whole truth and one compare-exchange takes or gives. While there is a waiter only who holds the mutex
// changes it.
// Cancel safety: a future that is dropped while it waits has taken nothing; if permits had been granted to it, they go
// on to the next. Thread safety: any thread, under any executor. No allocation. It must outlive its futures and
// permits: see acquire_owned().
#pragma once

#include <skua/core/atomic.hpp>
#include <skua/core/context.hpp>
#include <skua/core/mutex.hpp>
#include <skua/core/poll.hpp>
#include <skua/core/result.hpp>
#include <skua/core/wait_list.hpp>
#include <skua/sync/block_thread_on.hpp>
#include <skua/sync/sync_error.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace skua {

template <class Owner>
class SemaphorePermit;
template <class Owner>
class SemaphoreAcquire;

class Semaphore {
 public:
  static constexpr std::size_t max_permits = ~std::size_t{0} >> 3;

  /// At most max_permits.
  explicit Semaphore(std::size_t permits);
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  /// Ready with `permits` permits, all at once. Error: SyncError::closed. Cancel safety: see above; the place in the
  /// queue is lost.
  SemaphoreAcquire<Semaphore*> acquire(std::size_t permits = 1) noexcept;
  /// The same, now or not at all: SyncError::would_block, also while others wait.
  Result<SemaphorePermit<Semaphore*>> try_acquire(std::size_t permits = 1);
  /// The same, for a thread that runs no tasks, which sleeps.
  Result<SemaphorePermit<Semaphore*>> acquire_blocking(std::size_t permits = 1);

  /// Future and permit keep the semaphore alive: they may be moved to other tasks.
  static SemaphoreAcquire<std::shared_ptr<Semaphore>> acquire_owned(std::shared_ptr<Semaphore> semaphore,
                                                                    std::size_t permits = 1) noexcept;
  static Result<SemaphorePermit<std::shared_ptr<Semaphore>>> try_acquire_owned(std::shared_ptr<Semaphore> semaphore,
                                                                               std::size_t permits = 1);

  /// Free permits; those that lie there for a waiter are among them.
  std::size_t available_permits() const noexcept;
  /// More than before; wakes who can have them.
  void add_permits(std::size_t permits) { release(permits); }
  /// Takes up to `permits` free ones away for good. Returns how many.
  std::size_t forget_permits(std::size_t permits);

  /// From now on nobody acquires, and who waits gets SyncError::closed. Permits that are held stay good.
  void close();
  bool is_closed() const noexcept;

  /// What the futures are made of: a wait for permits that knows nothing of their owner.
  class [[nodiscard]] Wait : private WaitNode {
   public:
    enum class Place { last, first };  // first: before everybody who waits

    Wait(Semaphore& semaphore, std::size_t permits, Place place = Place::last) noexcept
        : semaphore_(&semaphore), permits_(permits), place_(place) {}
    /// Before the first poll only.
    Wait(Wait&& other) noexcept
        : WaitNode(), semaphore_(other.semaphore_), permits_(other.permits_), place_(other.place_) {
      SKUA_ASSERT(!other.is_known_);
    }
    ~Wait() {
      if (is_known_) semaphore_->withdraw(*this);
    }

    /// True: the caller has the permits. False: the semaphore is closed.
    Poll<bool> poll(Context& context) { return semaphore_->poll(*this, context); }
    std::size_t permits() const noexcept { return permits_; }

   private:
    friend class Semaphore;
    friend class WaitList<Wait>;
    enum class State { waits, granted, refused };

    Semaphore* const semaphore_;
    const std::size_t permits_;
    const Place place_;
    bool is_known_ = false;       // the future's own: the semaphore has it in its list, or has answered
    State state_ = State::waits;  // guarded by the semaphore's mutex
  };

  /// Gives permits back. For who keeps count of what Wait has given him.
  void release(std::size_t permits);
  /// Without a future: true if the permits are the caller's.
  enum class Attempt { taken, would_block, closed };
  Attempt try_take(std::size_t permits) noexcept;

 private:
  static constexpr std::size_t has_waiters = 1;
  static constexpr std::size_t closed = 2;
  static constexpr std::size_t one_permit = 4;

  Poll<bool> poll(Wait& wait, Context& context);
  void withdraw(Wait& wait);
  /// True: taken at once. False: `wait` is in the list. None: closed.
  std::optional<bool> take_or_enqueue(Wait& wait) SKUA_REQUIRES(mutex_);
  /// Gives free permits to who waits longest, and so on. True: the batch is full, and there may be more.
  [[nodiscard]] bool grant(WakeBatch& batch) SKUA_REQUIRES(mutex_);
  void remove(Wait& wait) SKUA_REQUIRES(mutex_);
  void give_and_grant(std::size_t permits);

  seam::Atomic<std::size_t> state_;
  seam::Mutex mutex_;
  WaitList<Wait> waits_ SKUA_GUARDED_BY(mutex_);
};

/// Permits of a semaphore, given back when it goes. `Owner` points to the semaphore. Move-only.
template <class Owner = Semaphore*>
class [[nodiscard]] SemaphorePermit {
 public:
  /// Takes over permits that the caller has taken.
  SemaphorePermit(Owner semaphore, std::size_t count) noexcept : semaphore_(std::move(semaphore)), count_(count) {}
  SemaphorePermit(SemaphorePermit&& other) noexcept
      : semaphore_(std::move(other.semaphore_)), count_(std::exchange(other.count_, 0)) {}
  SemaphorePermit& operator=(SemaphorePermit&& other) noexcept {
    std::swap(semaphore_, other.semaphore_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~SemaphorePermit() {
    if (count_ > 0) semaphore_->release(count_);
  }

  std::size_t count() const noexcept { return count_; }
  /// The permits are gone for good. Returns how many.
  std::size_t forget() noexcept { return std::exchange(count_, 0); }
  /// `count` of them in a permit of their own; none if there are fewer.
  std::optional<SemaphorePermit> split(std::size_t count) noexcept {
    if (count > count_) return std::nullopt;
    count_ -= count;
    return SemaphorePermit(semaphore_, count);
  }
  /// Takes those of `other`, which must be of the same semaphore.
  void merge(SemaphorePermit other) noexcept {
    SKUA_ASSERT(semaphore_ == other.semaphore_);
    count_ += other.forget();
  }

 private:
  Owner semaphore_;
  std::size_t count_;
};

/// A future of Result<SemaphorePermit<Owner>>.
template <class Owner>
class [[nodiscard]] SemaphoreAcquire {
 public:
  SemaphoreAcquire(Owner semaphore, std::size_t permits) noexcept
      : semaphore_(std::move(semaphore)), wait_(*semaphore_, permits) {}

  Poll<Result<SemaphorePermit<Owner>>> poll(Context& context) {
    Poll<bool> got = wait_.poll(context);
    if (got.is_pending()) return pending;
    if (!got.value()) return Result<SemaphorePermit<Owner>>(Error(SyncError::closed, "acquire"));
    return Result<SemaphorePermit<Owner>>(SemaphorePermit<Owner>(semaphore_, wait_.permits()));
  }

 private:
  Owner semaphore_;
  Semaphore::Wait wait_;
};

inline SemaphoreAcquire<Semaphore*> Semaphore::acquire(std::size_t permits) noexcept { return {this, permits}; }
inline SemaphoreAcquire<std::shared_ptr<Semaphore>> Semaphore::acquire_owned(std::shared_ptr<Semaphore> semaphore,
                                                                             std::size_t permits) noexcept {
  return {std::move(semaphore), permits};
}

}  // namespace skua
