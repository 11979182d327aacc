#include <skua/core/atomic.hpp>
#include <skua/core/log.hpp>
#include <skua/reactor/poller.hpp>

namespace skua::reactor {

void warn_of_refused_ring(const Error& reason) {
  static seam::Atomic<bool> logged{false};
  // relaxed: only the flag itself matters
  if (logged.exchange(true, std::memory_order_relaxed)) return;
  log(LogLevel::warning, "io_uring is refused (" + reason.message() + "), using epoll. `skua doctor` says more.");
}

}  // namespace skua::reactor
