// chain(second): the items of one stream, then those of another.
#pragma once

#include <skua/stream/adaptor.hpp>
#include <skua/stream/stream.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace skua::stream {

template <class First, class Second>
class [[nodiscard]] Chain {
  static_assert(std::same_as<StreamItem<First>, StreamItem<Second>>, "both streams must have the same items");

 public:
  Chain(First&& first, Second&& second) : first_(std::forward<First>(first)), second_(std::forward<Second>(second)) {}

  PollNext<StreamItem<First>> poll_next(Context& context) {
    if (!first_has_ended_) {
      auto item = first_.poll_next(context);
      if (item.is_pending() || item.value()) return item;
      first_has_ended_ = true;
    }
    return second_.poll_next(context);
  }

 private:
  First first_;
  Second second_;
  bool first_has_ended_ = false;
};

/// All items of `first`, then all of `second`, which is not polled before. Cancel safety: no item is lost.
template <class First, class Second>
  requires(Stream<std::remove_reference_t<First>> && Stream<std::remove_reference_t<Second>>)
auto chain(First&& first, Second&& second) {
  return Chain<First, Second>(std::forward<First>(first), std::forward<Second>(second));
}

}  // namespace skua::stream
