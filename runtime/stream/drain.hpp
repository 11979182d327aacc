// Drain, TryDrain: a stream to its end, for what happens on the way. What for_each() and for_each_concurrent() end in.
#pragma once

#include <skua/core/future.hpp>
#include <skua/core/result.hpp>
#include <skua/stream/stream.hpp>

#include <utility>

namespace skua::stream {

/// Ready when the stream has ended; its items are dropped.
template <Stream S>
class [[nodiscard]] Drain {
 public:
  explicit Drain(S source) : source_(std::move(source)) {}

  Poll<void> poll(Context& context) {
    for (;;) {
      auto item = poll_within_budget(source_, context);
      if (item.is_pending()) return pending;
      if (!item.value()) return ready;
    }
  }

 private:
  S source_;
};

/// Of a stream of Result<void>: ready when it has ended, or with its first error.
template <Stream S>
class [[nodiscard]] TryDrain {
  static_assert(is_result<StreamItem<S>>, "what is done with each item must return a Result<void>, or a future of it");

 public:
  explicit TryDrain(S source) : source_(std::move(source)) {}

  Poll<StreamItem<S>> poll(Context& context) {
    for (;;) {
      auto item = poll_within_budget(source_, context);
      if (item.is_pending()) return pending;
      if (!item.value()) return StreamItem<S>();
      if (!*item.value()) return *std::move(item.value());
    }
  }

 private:
  S source_;
};

}  // namespace skua::stream
