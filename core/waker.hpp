// Waker: the handle by which anything, from any thread, says "poll this task again".
//
// A waker is an owning pair {data, vtable}. What `data` is only the vtable knows: a task of the scheduler,
// a parked thread, a user's own object (wake.hpp makes one from any shared object with a wake() member).
//
// Thread safety: a Waker object belongs to one thread at a time, as any value does; different Wakers of the
// same task may be used from different threads, and wake_by_ref() may be called on one Waker by several.
// Memory ordering: everything sequenced before a wake is visible to the poll it causes, also if the task
// had been woken already and has not been polled since.
#pragma once

#include <utility>

namespace skua {

/// What a waker does. All four may be called from any thread and must not throw.
struct WakerVtable {
  void (*clone)(void* data);        // adds an owner of `data`
  void (*wake)(void* data);         // wakes, and drops one owner
  void (*wake_by_ref)(void* data);  // wakes, and keeps the owner
  void (*drop)(void* data);         // drops one owner
};

class Waker {
 public:
  /// An empty waker, good for being assigned to only.
  Waker() = default;
  /// Takes over one owner of `data`.
  Waker(void* data, const WakerVtable* vtable) noexcept : data_(data), vtable_(vtable) {}

  Waker(const Waker& other) noexcept : data_(other.data_), vtable_(other.vtable_) {
    if (vtable_ != nullptr) vtable_->clone(data_);
  }
  Waker(Waker&& other) noexcept : data_(other.data_), vtable_(std::exchange(other.vtable_, nullptr)) {}
  Waker& operator=(Waker other) noexcept {
    std::swap(data_, other.data_);
    std::swap(vtable_, other.vtable_);
    return *this;
  }
  ~Waker() {
    if (vtable_ != nullptr) vtable_->drop(data_);
  }

  /// Wakes the task and leaves this waker empty: cheaper than wake_by_ref() when it is not needed any more.
  void wake() && noexcept {
    if (const WakerVtable* vtable = std::exchange(vtable_, nullptr)) vtable->wake(data_);
  }
  /// Wakes the task. Waking often before the next poll costs little and causes one poll.
  void wake_by_ref() const noexcept {
    if (vtable_ != nullptr) vtable_->wake_by_ref(data_);
  }

  /// True if both surely wake the same task: a leaf that holds one of them need not store the other.
  bool will_wake(const Waker& other) const noexcept { return data_ == other.data_ && vtable_ == other.vtable_; }
  explicit operator bool() const noexcept { return vtable_ != nullptr; }

  /// A waker that does nothing.
  static Waker noop() noexcept {
    static constexpr WakerVtable nothing{[](void*) {}, [](void*) {}, [](void*) {}, [](void*) {}};
    return {nullptr, &nothing};
  }

  /// Empties this waker without dropping its owner: for a waker that was built on a borrowed owner.
  void forget() noexcept { vtable_ = nullptr; }

 private:
  void* data_ = nullptr;
  const WakerVtable* vtable_ = nullptr;
};

/// A waker that borrows the owner its creator holds: passed to poll() at no cost; copies of it own as usual.
class BorrowedWaker {
 public:
  BorrowedWaker(void* data, const WakerVtable* vtable) noexcept : waker_(data, vtable) {}
  ~BorrowedWaker() { waker_.forget(); }
  BorrowedWaker(const BorrowedWaker&) = delete;
  BorrowedWaker& operator=(const BorrowedWaker&) = delete;

  const Waker& get() const noexcept { return waker_; }

 private:
  Waker waker_;
};

}  // namespace skua
