// timeout(): a future with a limit on how long it may take.
#pragma once

#include <skua/core/budget.hpp>
#include <skua/core/future.hpp>
#include <skua/core/result.hpp>
#include <skua/time/sleep.hpp>

#include <type_traits>
#include <utility>

namespace skua {

template <class T>
struct FlatResultOf : std::type_identity<Result<T>> {};
template <class T>
struct FlatResultOf<Result<T>> : std::type_identity<Result<T>> {};

/// Result<T> for an output T; a Result<T> stays as it is. (A JoinResult, whose error is another, becomes the value.)
template <class T>
using FlatResult = typename FlatResultOf<T>::type;

/// The output of `F`, or the error std::errc::timed_out. The future is destroyed with this object: when it is late, so
/// is its cancellation, at the end of the co_await expression.
template <class F>
class [[nodiscard]] Timeout {
 public:
  Timeout(Sleep sleep, F&& future) : sleep_(std::move(sleep)), future_(std::forward<F>(future)) {}

  Poll<FlatResult<Output<F>>> poll(Context& context) {
    using Flat = FlatResult<Output<F>>;
    // The future first: what is ready is never reported as late. The timer takes no budget, so it fires even if the
    // future used all of it up.
    if (auto result = future_.poll(context); result.is_ready()) {
      if constexpr (std::is_void_v<Output<F>>) {
        return Flat();
      } else {
        return Flat(std::move(result).take());
      }
    }
    if (!is_late_) {
      if (sleep_.poll_without_budget(context).is_pending()) return pending;
      is_late_ = true;
      // Perhaps it is ready and was refused for the budget alone: it is asked once more.
      if (budget::remaining() == 0) return context.waker().wake_by_ref(), pending;
    }
    return Flat(Error(std::errc::timed_out, "timeout"));
  }

 private:
  Sleep sleep_;
  bool is_late_ = false;
  F future_;
};

/// Awaits `future` for at most `duration`. Of a future of Result<T> it makes another, of any other T a Result<T>. A
/// future given as an lvalue is only borrowed, and may be awaited again when it was late. Cancel safety: that of
/// `future`.
template <class Rep, class Period, class F>
  requires Future<std::remove_reference_t<F>>
Timeout<F> timeout(std::chrono::duration<Rep, Period> duration, F&& future) {
  return Timeout<F>(sleep(duration), std::forward<F>(future));
}

/// As timeout(), until `deadline`: several futures one after the other can share one.
template <class F>
  requires Future<std::remove_reference_t<F>>
Timeout<F> timeout_at(Instant deadline, F&& future) {
  return Timeout<F>(sleep_until(deadline), std::forward<F>(future));
}

}  // namespace skua
