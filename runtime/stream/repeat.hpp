// repeat(make): the outputs of one future after the other: an operation that is asked for again and again, as a stream.
//
//   auto datagrams = stream::repeat(receive_next);     // receive_next() returns a future
#pragma once

#include <skua/core/future.hpp>
#include <skua/io/step.hpp>
#include <skua/stream/stream.hpp>
#include <skua/task/join.hpp>

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace skua::stream {

template <class Make>
class [[nodiscard]] Repeat {
 public:
  using Made = std::invoke_result_t<Make&>;
  using Item = Unit<Output<Made>>;

  explicit Repeat(Make make) : make_(std::move(make)) {}

  PollNext<Item> poll_next(Context& context) {
    auto result = step_.poll(context, [&] { return std::invoke(make_); });
    if (result.is_pending()) return pending;
    if constexpr (std::is_void_v<Output<Made>>) {
      return PollNext<Item>(Item());
    } else {
      return PollNext<Item>(std::optional<Item>(std::move(result).take()));
    }
  }

 private:
  Make make_;
  Step<Made> step_;
};

/// The output (std::monostate for void) of the future that `make()` returns, then that of another, without end. Cancel
/// safety: nothing is lost; the future that is begun stays in the stream.
template <class Make>
Repeat<Make> repeat(Make make) {
  return Repeat<Make>(std::move(make));
}

}  // namespace skua::stream
