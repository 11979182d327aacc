// JoinError: why a task has no output: it was aborted, or it threw.
#pragma once

#include <skua/core/result.hpp>

#include <exception>
#include <system_error>
#include <utility>

namespace skua {

class JoinError {
 public:
  static JoinError cancelled() noexcept { return JoinError(nullptr); }
  explicit JoinError(std::exception_ptr exception) noexcept : exception_(std::move(exception)) {}

  /// Aborted, or the runtime was shut down before it ended.
  bool is_cancelled() const noexcept { return exception_ == nullptr; }
  /// The exception that left the task, or null.
  const std::exception_ptr& exception() const noexcept { return exception_; }

  /// operation_canceled, or state_not_recoverable for an exception.
  std::error_code code() const noexcept {
    return std::make_error_code(is_cancelled() ? std::errc::operation_canceled : std::errc::state_not_recoverable);
  }
  /// Throws the task's exception; for a cancelled task std::system_error(operation_canceled).
  [[noreturn]] void raise() const {
    if (exception_) std::rethrow_exception(exception_);
    throw std::system_error(code(), "join");
  }

 private:
  std::exception_ptr exception_;
};

/// What joining a task yields.
template <class T>
using JoinResult = Result<T, JoinError>;

}  // namespace skua
