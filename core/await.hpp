// What `co_await` does inside a Task, for a future (FutureAwaiter) and for another Task (TaskAwaiter).
#pragma once

#include <skua/core/chain.hpp>
#include <skua/core/future.hpp>

#include <coroutine>
#include <exception>
#include <utility>

namespace skua {

/// Polls `future` at once; suspends the coroutine, with the future as the chain's leaf, only if it is pending.
template <Future F>
class [[nodiscard]] FutureAwaiter {
 public:
  /// `future` must outlive the await: a temporary in the co_await expression does.
  FutureAwaiter(F& future, ChainLink& link) noexcept : future_(future), chain_(link.chain()) {}

  bool await_ready() {
    result_ = future_.poll(chain_.context());
    return result_.is_ready();
  }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    chain_.wait_for(Chain::handle_of(handle), this, &poll_again);
  }
  Output<F> await_resume() {
    if (exception_) std::rethrow_exception(exception_);
    return std::move(result_).take();
  }

 private:
  // Runs outside of the coroutine: an exception is kept until the coroutine is back to receive it.
  static bool poll_again(void* self, Context& context) noexcept {
    auto& awaiter = *static_cast<FutureAwaiter*>(self);
    try {
      awaiter.result_ = awaiter.future_.poll(context);
      return awaiter.result_.is_ready();
    } catch (...) {
      awaiter.exception_ = std::current_exception();
      return true;
    }
  }

  F& future_;
  Chain& chain_;
  Poll<Output<F>> result_ = pending;
  std::exception_ptr exception_;
};

/// Joins an awaited Task to the chain of the coroutine that awaits it. A task that has been polled before, as
/// a branch of a select() for example, has a chain of its own: that one becomes the leaf.
template <class TaskType, Transfer How>
class [[nodiscard]] TaskAwaiter {
 public:
  TaskAwaiter(TaskType& task, ChainLink& link) noexcept : task_(task), chain_(link.chain()) {}

  bool await_ready() {
    if (task_.link().has_started()) poll_own_chain(this, chain_.context());
    return task_.has_finished();
  }

  template <class Promise>
  auto await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    const auto parent = Chain::handle_of(handle);
    if (task_.link().has_started()) {
      chain_.wait_for(parent, this, &poll_own_chain);
      return transfer_to<How>(nullptr);
    }
    const auto child = Chain::handle_of(task_.handle());
    task_.link().start(chain_, parent);
    chain_.go_on_with(child);
    return transfer_to<How>(child);
  }

  auto await_resume() { return task_.take_result(); }

 private:
  static bool poll_own_chain(void* self, Context& context) {
    auto& awaiter = *static_cast<TaskAwaiter*>(self);
    Chain::of(awaiter.task_.handle()).advance(context);
    return awaiter.task_.has_finished();
  }

  TaskType& task_;
  Chain& chain_;
};

/// The end of a coroutine: its parent goes on. The frame stays until its Task lets go of it.
template <Transfer How>
struct FinalAwaiter {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  auto await_suspend(std::coroutine_handle<Promise> handle) const noexcept {
    ChainLink& link = handle.promise();
    link.chain().go_on_with(link.parent());
    return transfer_to<How>(link.parent());
  }
  void await_resume() const noexcept {}
};

}  // namespace skua
