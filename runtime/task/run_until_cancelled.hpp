// run_until_cancelled(): a future that is dropped when a token is cancelled.
//
//   auto line = co_await run_until_cancelled(stop, reader.read_line());
//   if (!line) co_return;   // told to stop
#pragma once

#include <skua/core/future.hpp>
#include <skua/task/cancellation_token.hpp>
#include <skua/task/join.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace skua {

template <class F>
class [[nodiscard]] RunUntilCancelled {
 public:
  RunUntilCancelled(const CancellationToken& token, F&& future)
      : cancelled_(token.cancelled()), future_(std::forward<F>(future)) {}

  Poll<std::optional<Unit<Output<F>>>> poll(Context& context) {
    using Outcome = std::optional<Unit<Output<F>>>;
    // The token first: nothing is begun after it was cancelled, and a future that was ready in the same moment and is
    // not asked has lost nothing.
    if (cancelled_.poll(context).is_ready()) return Outcome();
    auto result = future_.poll(context);
    if (result.is_pending()) return pending;
    if constexpr (std::is_void_v<Output<F>>) {
      return Outcome(std::in_place);
    } else {
      return Outcome(std::in_place, std::move(result).take());
    }
  }

 private:
  CancellationToken::Cancelled cancelled_;
  F future_;
};

/// The output of `future` (std::monostate for void), or nothing if `token` was cancelled first: then the future is not
/// polled any more, and destroyed with this object, at the end of the co_await expression. One given as an lvalue is
/// only borrowed, and can be awaited on. Cancel safety: that of the future.
template <class F>
  requires Future<std::remove_reference_t<F>>
RunUntilCancelled<F> run_until_cancelled(const CancellationToken& token, F&& future) {
  return RunUntilCancelled<F>(token, std::forward<F>(future));
}

}  // namespace skua
