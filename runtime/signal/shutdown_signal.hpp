// shutdown_signal(): the token that every part of a program may wait for to end in good order.
//
//   while (auto accepted = co_await run_until_cancelled(shutdown_signal(), listener.accept())) ...
//
// The root of the program's cancellation: give tasks children of it. SKUA_MAIN cancels it, with the reason shutdown, at
// the first SIGINT or SIGTERM; in a program with a main() of its own, who wants to does.
#pragma once

#include <skua/core/result.hpp>
#include <skua/signal/signal.hpp>
#include <skua/task/cancellation_token.hpp>

namespace skua {

/// The same token for the whole process, as long as it runs. Any thread.
const CancellationToken& shutdown_signal();

/// SIGINT and SIGTERM, from now on, as the wish that the program ends.
class StopSignals {
 public:
  /// Errors: as Signal::listen().
  static Result<StopSignals> listen();

  /// Waits for the first of them, cancels shutdown_signal(), and listens no more: a second signal does what it would do
  /// without us, that is, it ends the program at once. On a worker or in block_on(). Cancel safety: no signal is lost
  /// as long as this lives.
  static Task<Result<void>> wait(StopSignals signals);

 private:
  StopSignals(Signal interrupt, Signal terminate) noexcept
      : interrupt_(std::move(interrupt)), terminate_(std::move(terminate)) {}
  Signal interrupt_;
  Signal terminate_;
};

}  // namespace skua
