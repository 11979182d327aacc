// take(n): the first `n` items.
#pragma once

#include <skua/stream/adaptor.hpp>
#include <skua/stream/stream.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace skua::stream {

template <class S>
class [[nodiscard]] Take {
 public:
  Take(S&& source, std::size_t count) : source_(std::forward<S>(source)), left_(count) {}

  PollNext<StreamItem<S>> poll_next(Context& context) {
    if (left_ == 0) return PollNext<StreamItem<S>>(std::nullopt);
    auto item = source_.poll_next(context);
    if (item.is_ready()) --left_;
    return item;
  }

 private:
  S source_;
  std::size_t left_;
};

/// The first `count` items; the source is not asked for more. Cancel safety: no item is lost.
inline auto take(std::size_t count) {
  return Adaptor([]<class S>(S&& source, std::size_t given) { return Take<S>(std::forward<S>(source), given); }, count);
}

}  // namespace skua::stream
