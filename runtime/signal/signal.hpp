// Signal: the signals that the process receives, as a stream of events.
//
//   Signal terminated = co_await try_(Signal::listen(SIGTERM));
//   co_await try_(terminated.next());
//
// Signals of one kind that come close together may be reported as one, as the kernel does; but one that comes after
// next() was ready is always reported by the following next(). Each listener gets every signal, whichever runtime it
// waits in.
//
// What happens to the process: while somebody listens, the signal does nothing but this. (A handler function that was
// installed before is called too.) When the last listener of a signal is dropped, what was before is restored: usually
// the default, so that the second ^C ends a program whose graceful stop takes too long. To keep a signal from ending
// the program, keep its listener.
//
// Which thread the signal reaches does not matter, but one must let it through: the threads of a runtime block all
// signals, so a program that blocks one in all of its own threads, main() included, gets none. For the same reason
// raise(), which means the calling thread, does nothing in a task; kill(getpid(), ...) does.
//
// Thread safety: as a value; one task at a time waits for next(). It must outlive the wait, where it is.
#pragma once

#include <skua/core/ref.hpp>
#include <skua/core/result.hpp>
#include <skua/core/task.hpp>
#include <skua/io/io_operation.hpp>
#include <skua/reactor/io_source.hpp>
#include <skua/signal/signal_table.hpp>

#include <csignal>
#include <cstdint>

namespace skua {

/// See IoOperation: there is no system call, the handler has counted.
struct SignalCall {
  using Value = void;
  static constexpr auto direction = reactor::Direction::read;
  static constexpr const char* name = "wait for signal";
  SignalCall(int signal, std::uint64_t& last_seen) noexcept : number(signal), seen(last_seen) {}
  static bool has_nothing_to_do() noexcept { return false; }
  ssize_t attempt(int) noexcept;
  static bool drained(ssize_t) noexcept { return false; }
  static Result<void> finish(ssize_t) { return {}; }
  int number;
  std::uint64_t& seen;
};

class Signal {
 public:
  /// Listens for signal `number` (SIGTERM, SIGRTMIN + 1, ...) from now on. Any thread. Errors: invalid_argument for
  /// SIGKILL and SIGSTOP, which cannot be caught, and for SIGSEGV, SIGBUS, SIGFPE and SIGILL; too_many_files_open.
  static Result<Signal> listen(int number);

  /// Ready when the signal has come since next() was ready last, or since listen(). Errors: operation_canceled when the
  /// runtime has been shut down. Cancel safety: no signal is lost.
  IoOperation<SignalCall> next() noexcept { return {*source_, SignalCall(number(), seen_)}; }

  int number() const noexcept { return subscription_.number(); }

 private:
  Signal(SignalSubscription subscription, int fd);
  SignalSubscription subscription_;
  Ref<reactor::IoSource> source_;
  std::uint64_t seen_;
};

/// Ready at the first ^C (SIGINT) after the first poll. From then on another ^C ends the program, if nobody else
/// listens for it. Cancel safety: that of Signal; until somebody listens again, ^C ends the program.
Task<Result<void>> ctrl_c();

}  // namespace skua
