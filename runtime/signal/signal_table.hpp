// The signal table: what the process's signal handler knows, and the handler.
//
// One handler serves every runtime of the process. For each signal the table has a counter and an eventfd. The handler
// increments the one and writes to the other; each listener watches a duplicate of the eventfd with the driver of the
// thread that waits. The eventfd is never read, so each write is an edge for every duplicate: the kernel does the
// fanning out, and the handler walks no list.
//
// A handler, not a signalfd: that one would need the signal to be blocked in every thread of the process, also in those
// that were there before we were.
//
// Invariants:
//  1. The handler is async-signal-safe: it calls getpid(), write(), sigaction() and raise(), takes no lock, allocates
//     nothing, and leaves errno as it was.
//  2. What the handler reads is atomic, written before it can be read, and never freed: the eventfd of a signal, once
//     made, stays open, and a record of an earlier disposition stays in memory. So the handler may run at any time,
//     also after the last listener has gone.
//  3. First the counter, then the eventfd: whoever is woken sees the count.
//  4. In a process that was forked the handler touches nothing of its parent's; the signal does there what it did
//     before anybody listened.
//
// The disposition: the first listener of a signal installs the handler, the last one restores what was there, unless
// somebody else has replaced ours meanwhile. A handler function that was there before is called by ours, after the
// listeners have been told: the library that installed it goes on working.
//
// Thread safety: any thread; not from a signal handler.
#pragma once

#include <skua/core/result.hpp>
#include <skua/io/owned_fd.hpp>

#include <cstdint>
#include <utility>

namespace skua {

/// The signals that came since the program began, as far as somebody listened. Requires a subscription.
std::uint64_t signals_raised(int number) noexcept;

/// A share in the signal's being caught.
class SignalSubscription {
 public:
  /// Errors: invalid_argument for a signal that cannot be caught, or that a thread raises by its own fault; no
  /// descriptors left.
  static Result<SignalSubscription> make(int number);

  SignalSubscription(SignalSubscription&& other) noexcept
      : number_(std::exchange(other.number_, 0)), raised_before_(other.raised_before_) {}
  SignalSubscription& operator=(SignalSubscription&& other) noexcept {
    std::swap(number_, other.number_);
    std::swap(raised_before_, other.raised_before_);
    return *this;
  }
  ~SignalSubscription();

  int number() const noexcept { return number_; }
  /// signals_raised() just before this subscription began: no signal is lost in between.
  std::uint64_t raised_before() const noexcept { return raised_before_; }
  /// A descriptor of the caller's own, for which every signal from now on is an edge.
  Result<OwnedFd> descriptor() const;

 private:
  SignalSubscription(int number, std::uint64_t raised_before) noexcept
      : number_(number), raised_before_(raised_before) {}
  int number_;  // 0: none
  std::uint64_t raised_before_;
};

}  // namespace skua
