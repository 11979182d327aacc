// debounce(d): the last item of each burst.
#pragma once

#include <skua/core/budget.hpp>
#include <skua/core/clock.hpp>
#include <skua/stream/adaptor.hpp>
#include <skua/stream/stream.hpp>
#include <skua/time/sleep.hpp>

#include <optional>
#include <utility>

namespace skua::stream {

template <class S>
class [[nodiscard]] Debounce {
 public:
  using Item = StreamItem<S>;

  Debounce(S&& source, Duration quiet) : source_(std::forward<S>(source)), length_(quiet) {}

  PollNext<Item> poll_next(Context& context) {
    while (!has_ended_) {
      auto item = poll_within_budget(source_, context);
      if (item.is_pending()) return poll_quiet(context);
      if (!item.value()) {
        has_ended_ = true;
      } else {
        last_.emplace(*std::move(item.value()));
        quiet_.emplace(sleep(length_));
      }
    }
    return take_last();
  }

 private:
  PollNext<Item> poll_quiet(Context& context) {
    if (!last_) return pending;
    if (quiet_) {
      if (quiet_->poll_without_budget(context).is_pending()) return pending;
      quiet_.reset();
      // Perhaps an item is there and was refused for the budget alone: the source is asked once more.
      if (budget::remaining() == 0) return context.waker().wake_by_ref(), pending;
    }
    return take_last();
  }
  PollNext<Item> take_last() {
    PollNext<Item> last(std::move(last_));
    last_.reset();
    quiet_.reset();
    return last;
  }

  S source_;
  Duration length_;
  std::optional<Item> last_;
  std::optional<Sleep> quiet_;  // since the last item, until it is over
  bool has_ended_ = false;
};

/// An item is given out when no other has come for `quiet`, or the source has ended; those that another one followed
/// sooner are dropped. On a worker or inside block_on(). Cancel safety: the item that waits is not lost, and the time
/// goes on.
template <class Rep, class Period>
auto debounce(std::chrono::duration<Rep, Period> quiet) {
  return Adaptor([]<class S>(S&& source, Duration time) { return Debounce<S>(std::forward<S>(source), time); },
                 saturating_duration(quiet));
}

}  // namespace skua::stream
