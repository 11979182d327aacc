// next(): the next item of a stream.
//
//   while (std::optional<int> number = co_await next(numbers)) sum += *number;
#pragma once

#include <skua/core/future.hpp>
#include <skua/stream/stream.hpp>

#include <optional>

namespace skua {

template <Stream S>
class [[nodiscard]] Next {
 public:
  explicit Next(S& stream) noexcept : stream_(stream) {}
  Poll<std::optional<StreamItem<S>>> poll(Context& context) { return stream_.poll_next(context); }

 private:
  S& stream_;
};

/// A future of the next item; none: the stream has ended. Borrows `stream`. Cancel safety: the item is not lost, it
/// stays with the stream.
template <Stream S>
Next<S> next(S& stream) noexcept {
  return Next<S>(stream);
}

}  // namespace skua
