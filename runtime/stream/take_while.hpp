// take_while(p): the items before the first of which `p` is false.
#pragma once

#include <skua/stream/adaptor.hpp>
#include <skua/stream/stream.hpp>

#include <functional>
#include <optional>
#include <utility>

namespace skua::stream {

template <class S, class P>
class [[nodiscard]] TakeWhile {
 public:
  TakeWhile(S&& source, P predicate) : source_(std::forward<S>(source)), predicate_(std::move(predicate)) {}

  PollNext<StreamItem<S>> poll_next(Context& context) {
    auto item = source_.poll_next(context);
    if (item.is_pending() || !item.value()) return item;
    if (!std::invoke(predicate_, std::as_const(*item.value()))) return PollNext<StreamItem<S>>(std::nullopt);
    return item;
  }

 private:
  S source_;
  P predicate_;
};

/// Ends with the source, or before the first item of which `p(const item&)` is false; that item is dropped. Cancel
/// safety: no other item is lost.
template <class P>
auto take_while(P p) {
  return Adaptor(
      []<class S>(S&& source, P given) { return TakeWhile<S, P>(std::forward<S>(source), std::move(given)); },
      std::move(p));
}

}  // namespace skua::stream
