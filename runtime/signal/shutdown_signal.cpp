#include <skua/core/try.hpp>
#include <skua/signal/shutdown_signal.hpp>
#include <skua/task/select.hpp>

#include <csignal>
#include <optional>
#include <utility>
#include <variant>

namespace skua {

const CancellationToken& shutdown_signal() {
  static const CancellationToken* const token = new CancellationToken();  // outlives whatever may still ask for it
  return *token;
}

Result<StopSignals> StopSignals::listen() {
  Result<Signal> interrupt = Signal::listen(SIGINT);
  if (!interrupt) return std::move(interrupt).error();
  Result<Signal> terminate = Signal::listen(SIGTERM);
  if (!terminate) return std::move(terminate).error();
  return StopSignals(*std::move(interrupt), *std::move(terminate));
}

Task<Result<void>> StopSignals::wait(StopSignals signals) {
  std::optional<StopSignals> listening(std::move(signals));
  auto first = co_await select(listening->interrupt_.next(), listening->terminate_.next());
  Result<void> outcome = first.index() == 0 ? std::get<0>(std::move(first)) : std::get<1>(std::move(first));
  if (!outcome) co_return outcome;
  listening.reset();  // first: who is told to end may be told a second time at once
  shutdown_signal().cancel(CancelReason::shutdown);
  co_return outcome;
}

}  // namespace skua
