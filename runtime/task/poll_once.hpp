// poll_once(): what a future says now, without waiting for it.
//
//   auto message = co_await poll_once(select(first.receive(), second.receive()));
//   if (!message) co_await do_something_else();
#pragma once

#include <skua/core/budget.hpp>
#include <skua/core/future.hpp>
#include <skua/task/join.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace skua {

template <class F>
class [[nodiscard]] PollOnce {
 public:
  using Now = std::optional<Unit<Output<F>>>;

  explicit PollOnce(F&& future) : future_(std::forward<F>(future)) {}

  Poll<Now> poll(Context& context) {
    if (!budget::take(context)) return pending;
    auto result = future_.poll(context);
    if (result.is_pending()) {
      if (budget::remaining() > 0) return Now();
      context.waker().wake_by_ref();  // perhaps it was ready, and refused for the budget alone
      return pending;
    }
    if constexpr (std::is_void_v<Output<F>>) {
      return Now(std::in_place);
    } else {
      return Now(std::move(result).take());
    }
  }

 private:
  F future_;
};

/// The output (std::monostate for void) of `future` if it is ready now; none: it is not. A future given as an lvalue is
/// borrowed and can be awaited on; another is cancelled when the object is destroyed, at the end of the co_await
/// expression. Waits for nothing but, when the task's budget is used up, for the others' turn. Cancel safety: that of
/// `future`.
template <class F>
  requires Future<std::remove_reference_t<F>>
PollOnce<F> poll_once(F&& future) {
  return PollOnce<F>(std::forward<F>(future));
}

}  // namespace skua
