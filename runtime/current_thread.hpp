// CurrentThread: runs the one worker and the one driver of a runtime that has no threads of its own. Private.
//
// Whoever is inside of block_on() or run_once() has the worker's seat; another thread may have it next time. Between
// two calls of run_once() the worker counts as asleep, in the loop of somebody else: what makes a task ready then makes
// the driver's descriptor readable.
#pragma once

#include <skua/core/atomic.hpp>
#include <skua/core/clock.hpp>
#include <skua/core/ref.hpp>
#include <skua/reactor/driver.hpp>
#include <skua/scheduler/scheduler.hpp>

namespace skua {

class CurrentThread {
 public:
  CurrentThread(scheduler::Scheduler& scheduler, Ref<reactor::Driver> driver) noexcept
      : scheduler_(scheduler), driver_(std::move(driver)) {}

  /// The calling thread has the worker and the driver until this is destroyed.
  class Turn {
   public:
    /// Throws std::system_error if the system refuses a ring to a thread that is not the one before.
    explicit Turn(CurrentThread& self);

    /// Runs tasks, and sleeps, until `stop` is true, which it makes false again. Who sets it wakes the driver then.
    void run_until(seam::Atomic<bool>& stop);
    /// Runs tasks until none is left. False: some were at `deadline`.
    bool run_until_empty(Instant deadline);
    /// Runs some tasks that are ready. True: there are more. False: the worker is asleep now, see wake_at().
    bool run_once();

   private:
    void sleep(Instant limit);

    CurrentThread& self_;
    scheduler::WorkerSeat seat_;
  };

  /// After run_once(): when the next call is due, if native_fd() does not say so before. In the past: at once.
  Instant wake_at() const noexcept { return wake_at_; }

 private:
  static constexpr std::uint32_t tasks_a_round = 61;

  scheduler::Scheduler& scheduler_;
  const Ref<reactor::Driver> driver_;
  // Guarded by the seat
  bool is_asleep_ = false;
  Instant wake_at_{};
};

}  // namespace skua
