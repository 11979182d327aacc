// What the combinators of ranges, join_all(), try_join_all() and race(), have in common: how they take their futures.
#pragma once

#include <skua/core/future.hpp>

#include <ranges>
#include <type_traits>
#include <utility>

namespace skua {

/// What a combinator keeps of an element of the range `R`: a reference, if the range is somebody else's.
template <class R>
using ElementOf = std::conditional_t<std::is_reference_v<R> || std::ranges::view<R>, std::ranges::range_reference_t<R>,
                                     std::ranges::range_value_t<R>>;

/// A future, or a reference to one, as a future of its own.
template <class F>
class [[nodiscard]] BorrowedOrOwned {
 public:
  explicit BorrowedOrOwned(F&& future) : future_(std::forward<F>(future)) {}
  Poll<Output<F>> poll(Context& context) { return future_.poll(context); }

 private:
  F future_;
};

/// Calls `take` with each element of `range`: with a reference, if the range is somebody else's, else with an rvalue.
template <class R, class Take>
void for_each_element(R&& range, Take take) {
  for (auto&& element : range) take(static_cast<ElementOf<R>&&>(element));
}

}  // namespace skua
