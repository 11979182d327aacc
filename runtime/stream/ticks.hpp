// ticks(interval): an Interval as a stream.
#pragma once

#include <skua/core/clock.hpp>
#include <skua/io/step.hpp>
#include <skua/stream/stream.hpp>
#include <skua/time/interval.hpp>

#include <optional>
#include <utility>

namespace skua::stream {

class [[nodiscard]] Ticks {
 public:
  explicit Ticks(Interval interval) noexcept : interval_(std::move(interval)) {}

  PollNext<Instant> poll_next(Context& context) {
    auto tick = step_.poll(context, [this] { return interval_.tick(); });
    if (tick.is_pending()) return pending;
    return PollNext<Instant>(tick.value());
  }

 private:
  Interval interval_;
  Step<Interval::Tick> step_;
};

/// The times at which the ticks were due, without end; late ones as the interval says (MissedTicks). On a worker or
/// inside block_on(). Cancel safety: no tick is lost.
inline Ticks ticks(Interval interval) noexcept { return Ticks(std::move(interval)); }

}  // namespace skua::stream
