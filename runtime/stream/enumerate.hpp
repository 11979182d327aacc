// enumerate(): each item with its number.
#pragma once

#include <skua/stream/adaptor.hpp>
#include <skua/stream/stream.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace skua::stream {

template <class S>
class [[nodiscard]] Enumerate {
 public:
  using Item = std::pair<std::size_t, StreamItem<S>>;

  explicit Enumerate(S&& source) : source_(std::forward<S>(source)) {}

  PollNext<Item> poll_next(Context& context) {
    auto item = source_.poll_next(context);
    if (item.is_pending()) return pending;
    if (!item.value()) return PollNext<Item>(std::nullopt);
    return PollNext<Item>(Item(number_++, *std::move(item.value())));
  }

 private:
  S source_;
  std::size_t number_ = 0;
};

/// Pairs of a number, from 0 on, and an item. Cancel safety: no item is lost.
inline auto enumerate() {
  return Adaptor([]<class S>(S&& source) { return Enumerate<S>(std::forward<S>(source)); });
}

}  // namespace skua::stream
