// merge(streams...): the items of several streams as they come.
#pragma once

#include <skua/core/random.hpp>
#include <skua/stream/stream.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace skua::stream {

template <class... S>
class [[nodiscard]] Merge {
 public:
  using Item = std::common_type_t<StreamItem<S>...>;
  static_assert((std::same_as<StreamItem<S>, Item> && ...), "all streams must have the same items");

  explicit Merge(S&&... sources) : sources_(std::forward<S>(sources)...) {}

  PollNext<Item> poll_next(Context& context) { return poll_next(context, std::index_sequence_for<S...>()); }

 private:
  using PollSource = PollNext<Item> (*)(Merge&, Context&);

  // Fair: which stream is asked first is drawn each time.
  template <std::size_t... Index>
  PollNext<Item> poll_next(Context& context, std::index_sequence<Index...>) {
    static constexpr std::array<PollSource, sizeof...(S)> polls{
        [](Merge& self, Context& given) { return std::get<Index>(self.sources_).poll_next(given); }...};
    const std::size_t start = seam::thread_random().below(sizeof...(S));
    std::size_t ended = 0;
    for (std::size_t i = 0; i < polls.size(); ++i) {
      const std::size_t at = (start + i) % polls.size();
      if (!has_ended_[at]) {
        auto item = polls[at](*this, context);
        if (item.is_pending()) continue;
        if (item.value()) return item;
        has_ended_[at] = true;
      }
      ++ended;
    }
    if (ended < polls.size()) return pending;
    return PollNext<Item>(std::nullopt);
  }

  std::tuple<S...> sources_;
  std::array<bool, sizeof...(S)> has_ended_{};
};

/// The items of all streams, in the order in which they come; ends when all have ended. One that is always ready does
/// not keep the others back. Cancel safety: no item is lost.
template <class... S>
  requires(sizeof...(S) > 0 && (Stream<std::remove_reference_t<S>> && ...))
auto merge(S&&... streams) {
  return Merge<S...>(std::forward<S>(streams)...);
}

}  // namespace skua::stream
