// IoOperation: a system call that is repeated until it does not block: what every socket operation is.
//
// An operation is one poll of its system call on the polling thread; no memory is lent to the kernel between polls, so
// dropping a pending operation loses nothing: it has not happened.
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
  /// The call tried after `seen` took all there was.
  void clear(reactor::Readiness::Snapshot seen) noexcept { source_.clear(direction_, seen); }
  /// The call tried after `seen` would block.
  void would_block(reactor::Readiness::Snapshot seen) noexcept { source_.would_block(direction_, seen); }

  /// Whether a short count means that the next try would block.
  bool short_count_tells() const noexcept {
    return direction_ != reactor::Direction::read || source_.short_read_drains();
  }

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

/// `Call` has `using Value`, `static constexpr Direction direction`, `static constexpr const char* name`, and
///   ssize_t attempt(int fd)          the system call: >= 0 or -errno
///   bool drained(ssize_t returned)   it left nothing behind: the next one would block
///   Result<Value> finish(ssize_t)    what the operation is ready with; of 0 if has_nothing_to_do(), an empty buffer
///   say
template <class Call>
class [[nodiscard]] IoOperation {
 public:
  using Value = typename Call::Value;

  IoOperation(reactor::IoSource& source, Call call) noexcept : wait_(source, Call::direction), call_(std::move(call)) {}

  Poll<Result<Value>> poll(Context& context) {
    if (!budget::take(context)) return pending;
    if (call_.has_nothing_to_do()) return call_.finish(0);
    for (;;) {
      const auto seen = wait_.snapshot();
      if (reactor::Readiness::is_ready(seen)) {
        const auto returned = call_.attempt(wait_.source().fd());
        if (returned >= 0) {
          if (call_.drained(returned) && wait_.short_count_tells()) wait_.clear(seen);
          return call_.finish(returned);
        }
        if (returned != -EAGAIN) return failed(static_cast<int>(-returned), std::system_category());
        // Nobody will report anything any more, and yet the call would wait.
        if (reactor::Readiness::is_shut_down(seen)) return failed(ECANCELED, std::generic_category());
        wait_.would_block(seen);
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
  static Result<Value> failed(int error, const std::error_category& category) {
    return Error(std::error_code(error, category), Call::name);
  }

  ReadinessWait wait_;
  Call call_;
};

/// One try of the call, now: std::errc::operation_would_block if it would have to wait. Takes no budget.
template <class Call>
Result<typename Call::Value> try_now(reactor::IoSource& source, Call call) {
  if (call.has_nothing_to_do()) return call.finish(0);
  const auto returned = call.attempt(source.fd());
  if (returned < 0) return system_error(static_cast<int>(-returned), Call::name);
  return call.finish(returned);  // The readiness stays: a spare try is cheap, and needs no event to come.
}

}  // namespace skua
