// skip(n): all items but the first `n`.
#pragma once

#include <skua/stream/adaptor.hpp>
#include <skua/stream/stream.hpp>

#include <cstddef>
#include <utility>

namespace skua::stream {

template <class S>
class [[nodiscard]] Skip {
 public:
  Skip(S&& source, std::size_t count) : source_(std::forward<S>(source)), left_(count) {}

  PollNext<StreamItem<S>> poll_next(Context& context) {
    for (; left_ > 0; --left_) {
      auto item = poll_within_budget(source_, context);
      if (item.is_pending() || !item.value()) return item;
    }
    return source_.poll_next(context);
  }

 private:
  S source_;
  std::size_t left_;
};

/// All items but the first `count`. Cancel safety: no other item is lost.
inline auto skip(std::size_t count) {
  return Adaptor([]<class S>(S&& source, std::size_t given) { return Skip<S>(std::forward<S>(source), given); }, count);
}

}  // namespace skua::stream
