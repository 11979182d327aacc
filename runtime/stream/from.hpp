// from(range): the elements of a range.
#pragma once

#include <skua/core/budget.hpp>
#include <skua/stream/stream.hpp>

#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>

namespace skua::stream {

template <class R>
class [[nodiscard]] From {
 public:
  using Item = std::ranges::range_value_t<R>;

  explicit From(R&& range) : range_(std::forward<R>(range)) {}

  PollNext<Item> poll_next(Context& context) {
    if (!at_) at_.emplace(std::ranges::begin(range_));
    if (*at_ == std::ranges::end(range_)) return PollNext<Item>(std::nullopt);
    if (!budget::take(context)) return pending;
    PollNext<Item> item{std::optional<Item>(element())};
    ++*at_;
    return item;
  }

 private:
  // What the stream alone owns is moved out; a view's elements are somebody else's.
  static constexpr bool owns = !std::is_reference_v<R> && !std::ranges::view<R>;
  decltype(auto) element() {
    if constexpr (owns) {
      return std::ranges::iter_move(*at_);
    } else {
      return **at_;
    }
  }

  R range_;
  std::optional<std::ranges::iterator_t<R>> at_;  // from the first poll on, when `range_` does not move any more
};

/// The elements of `range`: moved out of one that is given as a temporary or by std::move(), copied from one that is
/// given as an lvalue, which is borrowed. Always ready, as far as the task's budget goes. Cancel safety: no element is
/// lost.
template <std::ranges::input_range R>
From<R> from(R&& range) {
  return From<R>(std::forward<R>(range));
}

}  // namespace skua::stream
