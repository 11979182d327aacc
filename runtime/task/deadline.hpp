// with_deadline(): a limit in time for a future and for all that it awaits and spawns.
//
//   co_await with_deadline(saturating_add(Clock::now(), 200ms), handle(request));
//   // in there, at any depth, and in spawned tasks:
//   co_await until_deadline(query(database));     // ends with timed_out when the request's time is up
//   request.set_timeout(time_left());             // to be told to the next server
//
// The future itself is dropped when its time is up, and with it the children of its Scopes. A spawned task that nobody
// joins is not: it inherits the deadline (task_local.hpp), and heeds it where it says until_deadline().
#pragma once

#include <skua/task/task_local.hpp>
#include <skua/time/timeout.hpp>

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

namespace skua {

namespace deadlines {
inline constexpr TaskLocal<Instant, Inherit::yes> current;
}  // namespace deadlines

/// The nearest of the deadlines that are in force here; nothing if there is none.
inline std::optional<Instant> current_deadline() noexcept {
  const Instant* const deadline = deadlines::current.get();
  return deadline == nullptr ? std::nullopt : std::optional(*deadline);
}

/// Until current_deadline(): zero when it has passed, Duration::max() if there is none.
inline Duration time_left() noexcept {
  const auto deadline = current_deadline();
  if (!deadline) return Duration::max();
  return std::max(Duration::zero(), *deadline - Clock::now());
}

/// Of a future of Result<T> another, of any other T a Result<T>: timed_out when `deadline` has come, or an earlier one
/// that is in force here: an inner deadline never extends an outer one. Cancel safety: that of the future.
template <class F>
  requires Future<std::remove_reference_t<F>>
auto with_deadline(Instant deadline, F&& future) {
  const Instant nearest = std::min(deadline, current_deadline().value_or(Instant::max()));
  return deadlines::current.scope(nearest, Timeout<F>(sleep_until(nearest), std::forward<F>(future)));
}

/// with_deadline() for the deadline that is in force already, inherited from who spawned this task for example.
template <class F>
  requires Future<std::remove_reference_t<F>>
Timeout<F> until_deadline(F&& future) {
  return Timeout<F>(sleep_until(current_deadline().value_or(Instant::max())), std::forward<F>(future));
}

}  // namespace skua
