// fold(first, f): one value of all items.
#pragma once

#include <skua/core/future.hpp>
#include <skua/stream/adaptor.hpp>
#include <skua/stream/stream.hpp>

#include <functional>
#include <utility>

namespace skua::stream {

template <class S, class T, class F>
class [[nodiscard]] Fold {
 public:
  Fold(S&& source, T first, F function)
      : source_(std::forward<S>(source)), value_(std::move(first)), function_(std::move(function)) {}

  Poll<T> poll(Context& context) {
    for (;;) {
      auto item = poll_within_budget(source_, context);
      if (item.is_pending()) return pending;
      if (!item.value()) return std::move(value_);
      value_ = std::invoke(function_, std::move(value_), *std::move(item.value()));
    }
  }

 private:
  S source_;
  T value_;
  F function_;
};

/// A future of `f(... f(f(first, item 1), item 2) ..., item n)`, which is `first` if there are no items. Cancel safety:
/// dropped, it loses what it has; a borrowed stream can be used on.
template <class T, class F>
auto fold(T first, F f) {
  return Adaptor(
      []<class S>(S&& source, T start, F given) {
        return Fold<S, T, F>(std::forward<S>(source), std::move(start), std::move(given));
      },
      std::move(first), std::move(f));
}

}  // namespace skua::stream
