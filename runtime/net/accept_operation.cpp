#include <skua/core/atomic.hpp>
#include <skua/core/kernel.hpp>
#include <skua/core/log.hpp>
#include <skua/net/accept_operation.hpp>

#include <cerrno>
#include <string>

namespace skua {

namespace {

// The connection ended in the queue, or the network failed under it (accept(2): "treat like EAGAIN by retrying").
bool is_the_connections_fault(int error) noexcept {
  switch (error) {
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH: return true;
    default: return false;
  }
}

}  // namespace

ssize_t accept_next(int fd, sockaddr* peer, socklen_t* size) noexcept {
  const socklen_t room = *size;
  for (;;) {
    *size = room;
    const int accepted = kernel::accept4(fd, peer, size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0 || !is_the_connections_fault(-accepted)) return accepted;
  }
}

bool is_shortage_of_descriptors(const Error& error) noexcept {
  return error.code() == std::errc::too_many_files_open || error.code() == std::errc::too_many_files_open_in_system;
}

bool is_shortage(const Error& error) noexcept {
  return is_shortage_of_descriptors(error) || error.code() == std::errc::no_buffer_space ||
         error.code() == std::errc::not_enough_memory;
}

void warn_of_shortage(const Error& error) {
  static seam::Atomic<Instant::rep> quiet_until{Instant::min().time_since_epoch().count()};
  const Instant now = Clock::now();
  // relaxed, both: only a matter of how often
  Instant::rep until = quiet_until.load(std::memory_order_relaxed);
  const Instant::rep next = (now + std::chrono::minutes(1)).time_since_epoch().count();
  if (now.time_since_epoch().count() < until) return;
  if (!quiet_until.compare_exchange_strong(until, next, std::memory_order_relaxed)) return;  // relaxed: as above
  log(LogLevel::warning, error.message() + ": connections wait until this has passed, or are turned away");
}

}  // namespace skua
