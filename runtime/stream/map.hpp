// map(f): each item as `f` makes it.
#pragma once

#include <skua/stream/adaptor.hpp>
#include <skua/stream/stream.hpp>
#include <skua/task/join.hpp>

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace skua::stream {

template <class S, class F>
class [[nodiscard]] Map {
 public:
  using Item = Unit<std::remove_cvref_t<std::invoke_result_t<F&, StreamItem<S>>>>;

  Map(S&& source, F function) : source_(std::forward<S>(source)), function_(std::move(function)) {}

  PollNext<Item> poll_next(Context& context) {
    auto item = source_.poll_next(context);
    if (item.is_pending()) return pending;
    if (!item.value()) return PollNext<Item>(std::nullopt);
    if constexpr (std::is_void_v<std::invoke_result_t<F&, StreamItem<S>>>) {
      std::invoke(function_, *std::move(item.value()));
      return PollNext<Item>(Item());
    } else {
      return PollNext<Item>(std::optional<Item>(std::invoke(function_, *std::move(item.value()))));
    }
  }

 private:
  S source_;
  F function_;
};

/// Of each item `f(item)`; of a function without a result std::monostate. A function that returns a future makes a
/// stream of futures, for buffered() (see also then()). If `f` throws, poll_next() does, and that item is lost. Cancel
/// safety: no item is lost.
template <class F>
auto map(F f) {
  return Adaptor([]<class S>(S&& source, F given) { return Map<S, F>(std::forward<S>(source), std::move(given)); },
                 std::move(f));
}

}  // namespace skua::stream
