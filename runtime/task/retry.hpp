// retry(): does something that may fail until it succeeds, with waits between that grow.
//
//   auto connect = [&] { return TcpStream::connect(address); };
//   Result<TcpStream> stream = co_await retry(Backoff().tries(8), connect);
#pragma once

#include <skua/core/assert.hpp>
#include <skua/core/clock.hpp>
#include <skua/core/future.hpp>
#include <skua/core/random.hpp>
#include <skua/core/result.hpp>
#include <skua/io/step.hpp>
#include <skua/task/backoff.hpp>
#include <skua/time/sleep.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace skua {

/// What retry() takes an error for if nothing is said.
struct EveryError {
  template <class E>
  constexpr bool operator()(const E&) const noexcept {
    return true;
  }
};

template <class Make, class IsTransient>
class [[nodiscard]] Retry {
  using Try = std::invoke_result_t<Make&>;
  static_assert(is_result<Output<Try>>, "retry() takes a function that returns a future of a Result");

 public:
  Retry(Backoff backoff, Make make, IsTransient is_transient)
      : backoff_(backoff), make_(std::move(make)), is_transient_(std::move(is_transient)) {}

  Poll<Output<Try>> poll(Context& context) {
    if (tried_ == 0 && !try_.is_pending()) last_start_ = backoff_.last_start(Clock::now());
    for (;;) {
      if (pause_) {
        if (pause_->poll(context).is_pending()) return pending;
        pause_.reset();
      }
      auto result = try_.poll(context, [this] { return std::invoke(make_); });
      if (result.is_pending() || result.value().has_value()) return result;
      ++tried_;
      if (!is_transient_(std::as_const(result.value()).error()) || !plan_next()) return result;
    }
  }

 private:
  /// Begins the wait for the next try; false: there is none.
  bool plan_next() {
    if (!backoff_.allows_more_than(tried_)) return false;
    const Instant next = saturating_add(Clock::now(), backoff_.draw(tried_, seam::thread_random()));
    if (next > last_start_) return false;
    pause_.emplace(sleep_until(next));
    return true;
  }

  Backoff backoff_;
  Make make_;
  IsTransient is_transient_;
  std::uint32_t tried_ = 0;
  Instant last_start_;
  Step<Try> try_;
  std::optional<Sleep> pause_;  // between two tries
};

/// Awaits the future that `make()` returns, and another one as long as they fail with errors of which
/// `is_transient(error)` is true, up to the limits of `backoff`. The first success, or the last error. On a worker or
/// inside block_on(). Cancel safety: that of the future that is going on. `make` may run many times: what it does must
/// bear repeating.
template <class Make, class IsTransient = EveryError>
Retry<Make, IsTransient> retry(Backoff backoff, Make make, IsTransient is_transient = {}) {
  return Retry<Make, IsTransient>(backoff, std::move(make), std::move(is_transient));
}

}  // namespace skua
