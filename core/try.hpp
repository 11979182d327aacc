// try_(): the value of an operation, or the end of the task with its error. No exception is thrown.
//
//   Task<Result<std::size_t>> copy_some(TcpStream& from, TcpStream& to) {
//     std::size_t n = co_await try_(from.read(buffer));
//     co_await try_(to.write_all(std::span(buffer).first(n)));
//     co_return n;
//   }
//
// On an error the coroutine is not resumed: it stays suspended where it is, the error becomes its result, and
// its frame is destroyed, locals in reverse order, before whoever awaits it goes on.
#pragma once

#include <skua/core/chain.hpp>
#include <skua/core/future.hpp>
#include <skua/core/result.hpp>

#include <coroutine>
#include <exception>
#include <utility>

namespace skua {

template <class T>
class TaskPromise;

/// What try_() returns; to be awaited at once.
template <class F>
class [[nodiscard]] Try {
 public:
  using FutureType = std::remove_reference_t<F>;
  explicit Try(F&& future) noexcept : future_(std::forward<F>(future)) {}
  FutureType& future() noexcept { return future_; }

 private:
  F future_;  // a value, or a reference to the caller's
};

template <class T>
inline constexpr bool is_try = false;
template <class F>
inline constexpr bool is_try<Try<F>> = true;

/// `future` must be ready with a Result, in a Task whose own output is a Result with the same kind of error.
template <class F>
  requires Future<std::remove_reference_t<F>>
Try<F> try_(F&& future) noexcept {
  static_assert(is_result<Output<F>>, "try_() takes a future that is ready with a Result");
  return Try<F>(std::forward<F>(future));
}

/// A future that is ready with what it was made from.
template <class T>
class Immediate {
 public:
  explicit Immediate(T value) noexcept : value_(std::move(value)) {}
  Poll<T> poll(Context&) { return std::move(value_); }

 private:
  T value_;
};

/// For functions that return a Result without waiting.
template <class T, class E>
Try<Immediate<Result<T, E>>> try_(Result<T, E> result) noexcept {
  return Try<Immediate<Result<T, E>>>(Immediate<Result<T, E>>(std::move(result)));
}

template <Future F, class T, Transfer How>
class [[nodiscard]] TryAwaiter {
  static_assert(is_result<T>, "try_() ends the task with an error, so the task must return a Result");

 public:
  TryAwaiter(F& future, ChainLink& link) noexcept
      : future_(future), promise_(static_cast<TaskPromise<T>&>(link)), chain_(link.chain()) {}

  bool await_ready() {
    result_ = future_.poll(chain_.context());
    return result_.is_ready() && result_.value().has_value();
  }
  template <class Promise>
  auto await_suspend(std::coroutine_handle<Promise> handle) {
    if (result_.is_pending()) {
      chain_.wait_for(Chain::handle_of(handle), this, &poll_again);
    } else {
      end_task();
    }
    return transfer_to<How>(result_.is_pending() ? nullptr : chain_.innermost());
  }
  typename Output<F>::value_type await_resume() {
    if (exception_) std::rethrow_exception(exception_);
    return *std::move(result_).take();
  }

 private:
  static bool poll_again(void* self, Context& context) noexcept {
    auto& awaiter = *static_cast<TryAwaiter*>(self);
    try {
      awaiter.result_ = awaiter.future_.poll(context);
      if (awaiter.result_.is_pending()) return false;
      if (!awaiter.result_.value().has_value()) awaiter.end_task();
    } catch (...) {
      awaiter.exception_ = std::current_exception();
    }
    return true;
  }

  void end_task() {
    promise_.return_value(T(std::move(result_.value()).error()));
    chain_.go_on_with(promise_.parent());
  }

  F& future_;
  TaskPromise<T>& promise_;
  Chain& chain_;
  Poll<Output<F>> result_ = pending;
  std::exception_ptr exception_;
};

}  // namespace skua
