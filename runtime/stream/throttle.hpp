// throttle(d): the items with at least a time between one and the next.
#pragma once

#include <skua/core/clock.hpp>
#include <skua/stream/adaptor.hpp>
#include <skua/stream/stream.hpp>
#include <skua/time/sleep.hpp>

#include <optional>
#include <utility>

namespace skua::stream {

template <class S>
class [[nodiscard]] Throttle {
 public:
  Throttle(S&& source, Duration pause) : source_(std::forward<S>(source)), length_(pause) {}

  PollNext<StreamItem<S>> poll_next(Context& context) {
    if (pause_) {
      if (pause_->poll(context).is_pending()) return pending;
      pause_.reset();
    }
    auto item = source_.poll_next(context);
    if (item.is_ready() && item.value()) pause_.emplace(sleep(length_));
    return item;
  }

 private:
  S source_;
  Duration length_;
  std::optional<Sleep> pause_;  // after an item
};

/// The first item at once, each other one `pause` after the one before it or later. The source is not polled in the
/// pause: what comes too fast waits there. On a worker or inside block_on(). Cancel safety: no item is lost, and the
/// pause goes on.
template <class Rep, class Period>
auto throttle(std::chrono::duration<Rep, Period> pause) {
  return Adaptor([]<class S>(S&& source, Duration time) { return Throttle<S>(std::forward<S>(source), time); },
                 saturating_duration(pause));
}

}  // namespace skua::stream
