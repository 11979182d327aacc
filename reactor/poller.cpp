#include <skua/core/atomic.hpp>
#include <skua/core/log.hpp>
#include <skua/reactor/poller.hpp>

namespace skua::reactor {

Result<std::unique_ptr<Poller>> make_poller(const RingSizes& sizes) {
  auto ring = make_ring_poller(sizes);
  if (ring) return ring;
  static seam::Atomic<bool> logged{false};
  // relaxed: only the flag itself matters
  if (!logged.exchange(true, std::memory_order_relaxed)) {
    log(LogLevel::warning,
        "io_uring is refused (" + ring.error().message() + "), using epoll. `skua doctor` says more.");
  }
  return make_epoll_poller();
}

}  // namespace skua::reactor
