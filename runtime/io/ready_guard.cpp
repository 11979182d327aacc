#include <skua/core/kernel.hpp>
#include <skua/io/ready_guard.hpp>

namespace skua {

namespace {

short polled_for(reactor::Direction direction) noexcept {
  switch (direction) {
    case reactor::Direction::read: return POLLIN | POLLRDHUP;
    case reactor::Direction::write: return POLLOUT;
    case reactor::Direction::exceptional: return POLLPRI;
  }
  return 0;
}

}  // namespace

bool ReadyGuard::recheck() noexcept {
  pollfd asked{source_->fd(), polled_for(direction_), 0};
  // POLLERR and POLLHUP come without being asked for.
  if (kernel::poll_now(&asked, 1) != 0) return true;
  clear_ready();
  return false;
}

Poll<Result<ReadyGuard>> ReadyFuture::poll(Context& context) {
  if (!budget::take(context)) return pending;
  for (;;) {
    const auto seen = wait_.snapshot();
    if (reactor::Readiness::is_shut_down(seen)) return {Error(std::errc::operation_canceled, "wait for a descriptor")};
    if (reactor::Readiness::is_guess(seen)) {
      wait_.would_block(seen);  // registering the descriptor reports the state it is in
    } else if (reactor::Readiness::is_ready(seen)) {
      ReadyGuard guard(wait_.source(), direction_, seen);
      // io_uring passes on what a file says when it wakes its waiters, and sockets say POLLPRI with any data.
      if (direction_ != reactor::Direction::exceptional || guard.recheck()) return {guard};
    }
    Result<bool> is_ready = wait_.wait(context);
    if (!is_ready) return {std::move(is_ready).error()};
    if (*is_ready) continue;
    budget::give_back();
    return pending;
  }
}

}  // namespace skua
