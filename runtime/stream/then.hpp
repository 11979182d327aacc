// then(f): each item as the future that `f` makes of it says, one after the other.
#pragma once

#include <skua/core/future.hpp>
#include <skua/io/step.hpp>
#include <skua/stream/adaptor.hpp>
#include <skua/stream/stream.hpp>
#include <skua/task/join.hpp>

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace skua::stream {

template <class S, class F>
class [[nodiscard]] Then {
 public:
  using Made = std::invoke_result_t<F&, StreamItem<S>>;
  using Item = Unit<Output<Made>>;

  Then(S&& source, F function) : source_(std::forward<S>(source)), function_(std::move(function)) {}

  PollNext<Item> poll_next(Context& context) {
    if (step_.is_pending()) return poll_step(context, nullptr);
    auto item = source_.poll_next(context);
    if (item.is_pending()) return pending;
    if (!item.value()) return PollNext<Item>(std::nullopt);
    return poll_step(context, &*item.value());
  }

 private:
  PollNext<Item> poll_step(Context& context, StreamItem<S>* begin_with) {
    auto result = step_.poll(context, [&] { return std::invoke(function_, std::move(*begin_with)); });
    if (result.is_pending()) return pending;
    if constexpr (std::is_void_v<Output<Made>>) {
      return PollNext<Item>(Item());
    } else {
      return PollNext<Item>(std::optional<Item>(std::move(result).take()));
    }
  }

  S source_;
  F function_;
  Step<Made> step_;
};

/// `f(item)` returns a future, a Task for example, whose output (std::monostate for void) is the item of the new
/// stream. One at a time; for several at the same time: map(f) | buffered(n). If the future throws, poll_next() does.
/// Cancel safety: no item is lost; the future that is begun stays in the stream.
template <class F>
auto then(F f) {
  return Adaptor([]<class S>(S&& source, F given) { return Then<S, F>(std::forward<S>(source), std::move(given)); },
                 std::move(f));
}

}  // namespace skua::stream
