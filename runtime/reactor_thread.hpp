// ReactorThread: the driver of everybody who is no worker, and the monitor of those who are. Private.
//
// It turns its own driver (block_on() and foreign threads wait there; in ReactorMode::thread everybody does) and lets
// the monitor tick. Without timers, events, or an awake worker it sleeps.
#pragma once

#include <skua/core/atomic.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/thread.hpp>
#include <skua/monitor.hpp>
#include <skua/reactor/driver.hpp>

namespace skua {

class ReactorThread {
 public:
  ReactorThread(Ref<reactor::Driver> driver, Monitor& monitor) : driver_(std::move(driver)), monitor_(monitor) {}

  /// Throws std::system_error if the system has no thread left.
  void start();
  /// Stops the thread and joins it. Nothing happens if it was not started.
  void stop();

 private:
  void run();

  const Ref<reactor::Driver> driver_;
  Monitor& monitor_;
  seam::Atomic<bool> stopping_{false};
  seam::Thread thread_;
};

}  // namespace skua
