// filter_map(f): what `f` makes of the items of which it makes something.
#pragma once

#include <skua/stream/adaptor.hpp>
#include <skua/stream/stream.hpp>

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace skua::stream {

template <class S, class F>
class [[nodiscard]] FilterMap {
 public:
  using Item = typename std::invoke_result_t<F&, StreamItem<S>>::value_type;

  FilterMap(S&& source, F function) : source_(std::forward<S>(source)), function_(std::move(function)) {}

  PollNext<Item> poll_next(Context& context) {
    for (;;) {
      auto item = poll_within_budget(source_, context);
      if (item.is_pending()) return pending;
      if (!item.value()) return PollNext<Item>(std::nullopt);
      std::optional<Item> made = std::invoke(function_, *std::move(item.value()));
      if (made) return PollNext<Item>(std::move(made));
    }
  }

 private:
  S source_;
  F function_;
};

/// `f(item)` returns a std::optional: an item of the new stream, or none. Cancel safety: no item is lost.
template <class F>
auto filter_map(F f) {
  return Adaptor(
      []<class S>(S&& source, F given) { return FilterMap<S, F>(std::forward<S>(source), std::move(given)); },
      std::move(f));
}

}  // namespace skua::stream
