// Deadline: one timer for all that a connection waits for.
//
// A keep-alive connection waits once per request, and each wait has a time-out that hardly ever passes. To start and
// cancel a timer each time would be the work of thousands for the sake of one. So a deadline that moves to a later
// time leaves its timer alone: when that fires too early, it is set again for what is left.
// Both types here are plain futures: they need poll(), and no coroutine.
#pragma once

#include <skua/skua.hpp>

#include <chrono>
#include <optional>
#include <system_error>
#include <utility>

namespace http {

class Deadline {
 public:
  /// The deadline is `after` from the next poll on: who does not wait pays nothing, not even a look at the clock.
  void restart(std::chrono::milliseconds after) noexcept {
    after_ = after;
    running_ = false;
  }

  /// Ready once the deadline has passed.
  skua::Poll<void> poll(skua::Context& context) {
    if (!running_) at_ = Clock::now() + after_;
    running_ = true;
    for (;;) {
      if (!timer_ || timer_at_ > at_) start_timer();
      if (timer_->poll(context).is_pending()) return skua::pending;
      timer_.reset();
      if (Clock::now() >= at_) return skua::ready;
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  using Timer = decltype(skua::sleep(Clock::duration()));

  void start_timer() {
    timer_.emplace(skua::sleep(at_ - Clock::now()));
    timer_at_ = at_;
  }

  std::chrono::milliseconds after_{0};
  bool running_ = false;
  Clock::time_point at_;
  Clock::time_point timer_at_;  // never earlier than this does the timer fire
  std::optional<Timer> timer_;
};

/// What `future`, of a Result, is ready with; std::errc::timed_out if the deadline passes first.
template <skua::Future F>
class [[nodiscard]] Before {
 public:
  Before(Deadline& deadline, F future) : deadline_(deadline), future_(std::move(future)) {}

  skua::Poll<skua::Output<F>> poll(skua::Context& context) {
    if (auto result = future_.poll(context); result.is_ready()) return result;
    if (deadline_.poll(context).is_pending()) return skua::pending;
    return skua::Output<F>(skua::Error(std::errc::timed_out));
  }

 private:
  Deadline& deadline_;
  F future_;
};

}  // namespace http
