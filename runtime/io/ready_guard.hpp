// ReadyGuard: the turn of somebody who does his own I/O on a descriptor that is ready; and the wait for it.
#pragma once

#include <skua/core/budget.hpp>
#include <skua/io/io_operation.hpp>
#include <skua/io/user_call.hpp>

#include <type_traits>
#include <utility>

namespace skua {

/// What readable(), writable() and exceptional() are ready with. It says that a call is worth a try, not that it will
/// succeed: others may have been faster. Unless it is told otherwise the direction stays ready.
///
/// It borrows the AsyncFd, and knows which events had come when the wait ended: whatever it clears, an event that came
/// later stays.
class [[nodiscard]] ReadyGuard {
 public:
  ReadyGuard(reactor::IoSource& source, reactor::Direction direction, reactor::Readiness::Snapshot seen) noexcept
      : source_(&source), direction_(direction), seen_(seen) {}

  /// Calls `call` with the descriptor. Pending: it would have blocked, and the direction is not ready any more; wait
  /// again. Else what it returned: of a number (a count, or -errno) a Result<std::size_t>.
  template <class F>
  auto try_io(F&& call) -> Poll<Result<typename UserCall<reactor::Direction::read, std::decay_t<F>>::Value>> {
    UserCall<reactor::Direction::read, std::decay_t<F>> user_call(std::forward<F>(call));
    const ssize_t returned = user_call.attempt(source_->fd());
    if (returned >= 0) return user_call.finish(returned);
    if (returned != -EAGAIN) return {system_error(static_cast<int>(-returned), "try_io")};
    clear_ready();
    return pending;
  }

  /// A call of yours has told that it would block. (One that was merely short has not: bytes may be left, for which no
  /// further event will come.)
  void clear_ready() noexcept { source_->would_block(direction_, seen_); }

  /// For libraries that do not tell whether they stopped because a call would have blocked. Asks the kernel (poll(),
  /// one system call) and clears what is not ready; true if it still is.
  bool recheck() noexcept;

 private:
  reactor::IoSource* source_;
  reactor::Direction direction_;
  reactor::Readiness::Snapshot seen_;
};

/// The wait for a ReadyGuard. The first wait asks the kernel: without an event nothing is ready.
class [[nodiscard]] ReadyFuture {
 public:
  ReadyFuture(reactor::IoSource& source, reactor::Direction direction) noexcept
      : wait_(source, direction), direction_(direction) {}

  Poll<Result<ReadyGuard>> poll(Context& context);

 private:
  ReadinessWait wait_;
  const reactor::Direction direction_;
};

}  // namespace skua
