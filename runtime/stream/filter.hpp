// filter(p): the items of which `p` is true.
#pragma once

#include <skua/stream/adaptor.hpp>
#include <skua/stream/stream.hpp>

#include <functional>
#include <utility>

namespace skua::stream {

template <class S, class P>
class [[nodiscard]] Filter {
 public:
  Filter(S&& source, P predicate) : source_(std::forward<S>(source)), predicate_(std::move(predicate)) {}

  PollNext<StreamItem<S>> poll_next(Context& context) {
    for (;;) {
      auto item = poll_within_budget(source_, context);
      if (item.is_pending() || !item.value()) return item;
      if (std::invoke(predicate_, std::as_const(*item.value()))) return item;
    }
  }

 private:
  S source_;
  P predicate_;
};

/// The items of which `p(const item&)` is true. Cancel safety: no item is lost.
template <class P>
auto filter(P p) {
  return Adaptor([]<class S>(S&& source, P given) { return Filter<S, P>(std::forward<S>(source), std::move(given)); },
                 std::move(p));
}

}  // namespace skua::stream
