// zip(a, b): the items of two streams in pairs.
#pragma once

#include <skua/stream/stream.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace skua::stream {

template <class Left, class Right>
class [[nodiscard]] Zip {
 public:
  using Item = std::pair<StreamItem<Left>, StreamItem<Right>>;

  Zip(Left&& left, Right&& right) : left_(std::forward<Left>(left)), right_(std::forward<Right>(right)) {}

  PollNext<Item> poll_next(Context& context) {
    // Both are asked: the slower one is to begin early.
    if (has_ended(left_, left_item_, context) || has_ended(right_, right_item_, context)) {
      return PollNext<Item>(std::nullopt);
    }
    if (!left_item_ || !right_item_) return pending;
    PollNext<Item> both(Item(*std::move(left_item_), *std::move(right_item_)));
    left_item_.reset();
    right_item_.reset();
    return both;
  }

 private:
  template <class S, class T>
  static bool has_ended(S& source, std::optional<T>& item, Context& context) {
    if (item) return false;
    auto next = source.poll_next(context);
    if (next.is_pending()) return false;
    if (!next.value()) return true;
    item.emplace(*std::move(next.value()));
    return false;
  }

  Left left_;
  Right right_;
  std::optional<StreamItem<Left>> left_item_;  // waits for the other one
  std::optional<StreamItem<Right>> right_item_;
};

/// Pairs of an item of each; ends with the stream that ends first, and an item of the other that was taken by then is
/// dropped. Both are polled at the same time. Cancel safety: no other item is lost.
template <class Left, class Right>
  requires(Stream<std::remove_reference_t<Left>> && Stream<std::remove_reference_t<Right>>)
auto zip(Left&& left, Right&& right) {
  return Zip<Left, Right>(std::forward<Left>(left), std::forward<Right>(right));
}

}  // namespace skua::stream
