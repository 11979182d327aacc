// Barrier: tasks wait for each other: when as many have come as it was made for, all go on, and it begins anew.
//
// Cancel safety: who is dropped while it waits has not come.
// Thread safety: any thread, under any executor. No allocation. It must outlive its futures.
#pragma once

#include <skua/core/context.hpp>
#include <skua/core/mutex.hpp>
#include <skua/core/poll.hpp>
#include <skua/core/wait_list.hpp>
#include <skua/sync/block_thread_on.hpp>

#include <cstddef>
#include <cstdint>

namespace skua {

class Barrier {
 public:
  /// For `count` tasks; 0 is as 1.
  explicit Barrier(std::size_t count) noexcept : count_(count) {}
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  class Wait;
  /// A future of bool: true for one of those who go on together, the last that came.
  Wait wait() noexcept;
  /// For a thread that runs no tasks, which sleeps.
  bool wait_blocking();

 private:
  Poll<bool> poll(Wait& wait, Context& context);
  void withdraw(Wait& wait);
  void let_go();

  const std::size_t count_;
  seam::Mutex mutex_;
  WaitList<Wait> waits_ SKUA_GUARDED_BY(mutex_);
  std::size_t come_ SKUA_GUARDED_BY(mutex_) = 0;  // of this round
  std::uint64_t round_ SKUA_GUARDED_BY(mutex_) = 0;
};

class [[nodiscard]] Barrier::Wait : private WaitNode {
 public:
  explicit Wait(Barrier& barrier) noexcept : barrier_(barrier) {}
  /// Before the first poll only.
  Wait(Wait&& other) noexcept : WaitNode(), barrier_(other.barrier_) { SKUA_ASSERT(!other.is_known_); }
  ~Wait() {
    if (is_known_) barrier_.withdraw(*this);
  }
  Poll<bool> poll(Context& context) { return barrier_.poll(*this, context); }

 private:
  friend class Barrier;
  friend class WaitList<Wait>;
  Barrier& barrier_;
  bool is_known_ = false;    // the future's own
  bool is_let_go_ = false;   // guarded by the mutex, as is what follows
  std::uint64_t round_ = 0;  // in which it came
};

inline Barrier::Wait Barrier::wait() noexcept { return Wait(*this); }

}  // namespace skua
