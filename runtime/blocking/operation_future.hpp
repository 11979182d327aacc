// OperationFuture: waits for an Operation. What every file operation, and unblock(), is.
#pragma once

#include <skua/core/budget.hpp>
#include <skua/core/future.hpp>
#include <skua/reactor/driver.hpp>
#include <skua/reactor/operation.hpp>

#include <utility>

namespace skua {

/// `Op` is an Operation that has `Output finish(int result)`: what the future is ready with. It is submitted by the
/// first poll; where it is done, see reactor/operation.hpp. Dropped, the operation is cancelled if that is still
/// possible.
template <class Op>
class [[nodiscard]] OperationFuture {
 public:
  explicit OperationFuture(Ref<Op> operation) noexcept : operation_(std::move(operation)) {}
  /// Only before the first poll, as with every future.
  OperationFuture(OperationFuture&& other) noexcept : operation_(std::move(other.operation_)) {
    SKUA_ASSERT(!other.executor_);
  }
  ~OperationFuture() {
    if (executor_ && operation_->abandon()) executor_->cancel(*operation_);
  }

  auto poll(Context& context) -> Poll<decltype(std::declval<Op&>().finish(0))> {
    if (!executor_) {
      if (!budget::take(context)) return pending;
      submit();
    }
    Poll<int> result = operation_->poll(context.waker());
    if (result.is_pending()) return pending;
    return operation_->finish(std::move(result).take());
  }

 private:
  void submit() noexcept {
    auto& executor = reactor::Driver::current().operations().submit(Ref<reactor::Operation>::share(operation_.get()));
    executor_ = Ref<reactor::OperationExecutor>::share(&executor);
  }

  Ref<Op> operation_;
  Ref<reactor::OperationExecutor> executor_;  // set once it has been submitted
};

}  // namespace skua
