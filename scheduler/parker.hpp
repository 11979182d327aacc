// Parker: how a worker sleeps. The scheduler's only view of the reactor: the runtime implements it by a driver.
#pragma once

#include <cstddef>

namespace skua::scheduler {

class Parker {
 public:
  virtual ~Parker() = default;

  /// The owning worker has nothing to do: returns after unpark(), or when tasks have been woken meanwhile. An unpark()
  /// since the last park() makes it return at once. May return for no reason.
  virtual void park() = 0;
  /// The owning worker is busy: wakes the tasks whose events have arrived, without waiting; for `most` events at most.
  virtual void look(std::size_t most) = 0;
  /// The calling thread is the owner from now on: a worker has gone to another thread. False: the system refuses what
  /// that takes, and nothing has changed.
  [[nodiscard]] virtual bool take_over() noexcept { return true; }
  /// A thread that has lent the worker goes on beside it, with something that blocks; and has ended that.
  virtual void on_lent() noexcept {}
  virtual void on_lender_done() noexcept {}
  /// The owning worker is awake, and counted as such.
  virtual void on_awake() noexcept {}
  /// Any thread: ends the current or the next park().
  virtual void unpark() noexcept = 0;
};

}  // namespace skua::scheduler
