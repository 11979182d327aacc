// WorkerLoan: which thread has a worker, while the one that it was started on may be busy with something that blocks.
// Private.
//
//   home ──lend──> offered ──accept──> taken ──give_back──> offered
//     ^               │                  └──lend (again)──────^
//     └──take_back────┘
//
// One thread is the holder, and alone touches what belongs to the worker's owner: the home thread; or the substitute
// that has accepted. While the worker is offered nobody is, and its queue is there for thieves. The home thread takes
// it back between two polls: it asks, and waits until the substitute has ended the poll it is in.
//
// Invariants: lend(), give_back() and take_back() change who is the holder under the lock, which orders what the one
// before did to the worker. Once it is wanted back nobody accepts it.
#pragma once

#include <skua/core/assert.hpp>
#include <skua/core/atomic.hpp>
#include <skua/core/mutex.hpp>

#include <cstdint>

namespace skua::scheduler {

class WorkerLoan {
 public:
  /// The holder is it no longer.
  void lend() noexcept {
    const seam::Lock lock(mutex_);
    state_ = State::offered;
    changed_.notify_all();
  }

  /// A thread that would be a substitute. True: it is the holder.
  [[nodiscard]] bool accept() noexcept {
    const seam::Lock lock(mutex_);
    if (state_ != State::offered || is_wanted_back()) return false;
    state_ = State::taken;
    return true;
  }

  /// The substitute, between two polls: true, it is to give the worker back. Who asks for it wakes it afterwards.
  bool is_wanted_back() const noexcept {
    return wanted_back_.load(std::memory_order_relaxed) != 0;  // relaxed: the wake, or the lock, orders it
  }

  /// The substitute is not the holder any more.
  void give_back() noexcept { lend(); }

  /// The home thread, which has lent the worker: returns when it is the holder. `wake` ends the substitute's sleep.
  template <class Wake>
  void take_back(Wake wake) {
    {
      const seam::Lock lock(mutex_);
      wanted_back_.store(1, std::memory_order_relaxed);  // relaxed: see is_wanted_back()
    }
    wake();
    const seam::Lock lock(mutex_);
    while (state_ == State::taken) changed_.wait(mutex_);
    state_ = State::home;
    wanted_back_.store(0, std::memory_order_relaxed);  // relaxed: under the lock, where accept() looks
  }

 private:
  enum class State { home, offered, taken };

  seam::Mutex mutex_;
  seam::Condvar changed_;
  State state_ SKUA_GUARDED_BY(mutex_) = State::home;
  seam::Atomic<std::uint32_t> wanted_back_{0};  // written under the lock
};

}  // namespace skua::scheduler
