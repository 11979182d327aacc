// timeout(d): the items, and an error when one is late.
#pragma once

#include <skua/core/budget.hpp>
#include <skua/core/clock.hpp>
#include <skua/core/result.hpp>
#include <skua/stream/adaptor.hpp>
#include <skua/stream/stream.hpp>
#include <skua/time/sleep.hpp>
#include <skua/time/timeout.hpp>

#include <optional>
#include <system_error>
#include <utility>

namespace skua::stream {

template <class S>
class [[nodiscard]] Timeout {
 public:
  using Item = FlatResult<StreamItem<S>>;

  Timeout(S&& source, Duration longest) : source_(std::forward<S>(source)), longest_(longest) {}

  PollNext<Item> poll_next(Context& context) {
    // The source first, as in skua::timeout(): what is there is never late.
    auto item = source_.poll_next(context);
    if (item.is_ready()) {
      limit_.reset();
      state_ = State::in_time;
      if (!item.value()) return PollNext<Item>(std::nullopt);
      return PollNext<Item>(Item(*std::move(item.value())));
    }
    if (state_ == State::told) return pending;
    if (state_ == State::in_time) {
      if (!limit_) limit_.emplace(sleep(longest_));
      if (limit_->poll_without_budget(context).is_pending()) return pending;
      limit_.reset();
      state_ = State::late;
      // Perhaps the item is there and was refused for the budget alone: the source is asked once more.
      if (budget::remaining() == 0) return context.waker().wake_by_ref(), pending;
    }
    state_ = State::told;
    return PollNext<Item>(Item(Error(std::errc::timed_out, "next")));
  }

 private:
  enum class State {
    in_time,
    late,
    told,  // that it is late: not said again of the same item
  };

  S source_;
  Duration longest_;
  std::optional<Sleep> limit_;  // while an item is waited for
  State state_ = State::in_time;
};

/// Items as Result<T> (a Result<T> stays as it is). When none comes for `longest` from the moment it was first asked
/// for, there is one error std::errc::timed_out in its place; the stream goes on, and the late item comes when it
/// comes. On a worker or inside block_on(). Cancel safety: no item is lost, and the time goes on.
template <class Rep, class Period>
auto timeout(std::chrono::duration<Rep, Period> longest) {
  return Adaptor([]<class S>(S&& source, Duration time) { return Timeout<S>(std::forward<S>(source), time); },
                 saturating_duration(longest));
}

}  // namespace skua::stream
