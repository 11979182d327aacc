// scan(state, f): what `f` makes of a state and each item.
#pragma once

#include <skua/stream/adaptor.hpp>
#include <skua/stream/stream.hpp>

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace skua::stream {

template <class S, class State, class F>
class [[nodiscard]] Scan {
 public:
  using Item = typename std::invoke_result_t<F&, State&, StreamItem<S>>::value_type;

  Scan(S&& source, State state, F function)
      : source_(std::forward<S>(source)), state_(std::move(state)), function_(std::move(function)) {}

  PollNext<Item> poll_next(Context& context) {
    auto item = source_.poll_next(context);
    if (item.is_pending()) return pending;
    if (!item.value()) return PollNext<Item>(std::nullopt);
    return PollNext<Item>(std::invoke(function_, state_, *std::move(item.value())));
  }

 private:
  S source_;
  State state_;
  F function_;
};

/// `f(state&, item)` returns a std::optional: an item of the new stream, or none, which ends it. Cancel safety: no item
/// is lost.
template <class State, class F>
auto scan(State state, F f) {
  return Adaptor(
      []<class S>(S&& source, State first, F given) {
        return Scan<S, State, F>(std::forward<S>(source), std::move(first), std::move(given));
      },
      std::move(state), std::move(f));
}

}  // namespace skua::stream
