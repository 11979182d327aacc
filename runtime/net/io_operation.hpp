// IoOperation: a system call that is repeated until it does not block: what every socket operation is.
//
// An operation is one poll of its system call on the polling thread; no memory is lent to the kernel between polls, so dropping a
// pending operation loses nothing: it has not happened.
#pragma once

#include <skua/core/budget.hpp>
#include <skua/core/future.hpp>
#include <skua/core/result.hpp>
#include <skua/reactor/io_source.hpp>

#include <cerrno>
#include <optional>
#include <utility>

namespace skua {

/// Waits until a direction of a descriptor is worth a try. Movable until the first wait.
class ReadinessWait {
 public:
  ReadinessWait(reactor::IoSource& source, reactor::Direction direction) noexcept
      : source_(source), direction_(direction) {}
  ReadinessWait(ReadinessWait&& other) noexcept : source_(other.source_), direction_(other.direction_) {
    SKUA_ASSERT(!other.waiter_);
  }

  reactor::IoSource& source() const noexcept { return source_; }
  reactor::Readiness::Snapshot snapshot() const noexcept { return source_.snapshot(direction_); }
  /// The call tried after `seen` would block, or took all there was.
  void clear(reactor::Readiness::Snapshot seen) noexcept { source_.clear(direction_, seen); }

  /// True: ready now. False: the context's waker will be woken.
  Result<bool> wait(Context& context) {
    if (!waiter_) waiter_.emplace(source_);
    return source_.wait_ready(direction_, *waiter_, context.waker());
  }

 private:
  reactor::IoSource& source_;
  const reactor::Direction direction_;
  std::optional<reactor::IoSource::Waiter> waiter_;
};

/// `Call` has: `using Value`, `static constexpr Direction direction`, `static constexpr const char* name`, and
/// `Result<Value> finish(ssize_t)` and `ssize_t attempt(int fd)` (>= 0 or -errno), and `bool drained(ssize_t)`: the call left
/// nothing behind, so that the next would block.
template <class Call>
class [[nodiscard]] IoOperation {
 public:
  using Value = typename Call::Value;

  IoOperation(reactor::IoSource& source, Call call) noexcept : wait_(source, Call::direction), call_(std::move(call)) {}

  Poll<Result<Value>> poll(Context& context) {
    if (!budget::take(context)) return pending;
    for (;;) {
      const auto seen = wait_.snapshot();
      if (reactor::Readiness::is_ready(seen)) {
        const auto returned = call_.attempt(wait_.source().fd());
        if (returned >= 0) {
          if (call_.drained(returned)) wait_.clear(seen);
          return call_.finish(returned);
        }
        if (returned != -EAGAIN) return Result<Value>(Error(std::error_code(static_cast<int>(-returned), std::system_category()), Call::name));
        // Nobody will report anything any more, and yet the call would wait: the driver has been shut down.
        if (reactor::Readiness::is_closed(seen)) return Result<Value>(Error(std::errc::operation_canceled, Call::name));
        wait_.clear(seen);
      }
      Result<bool> is_ready = wait_.wait(context);
      if (!is_ready) return Result<Value>(std::move(is_ready).error());
      if (!*is_ready) {
        budget::give_back();
        return pending;
      }
    }
  }

 private:
  ReadinessWait wait_;
  Call call_;
};

}  // namespace skua
