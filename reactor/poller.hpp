// Poller: the kernel's side of a driver: which descriptors are ready. Two implementations: io_uring and epoll.
//
// Edges, both directions at once: arm() a descriptor and every change of its state is reported until disarm(),
// beginning with the state it is in. The same state may be reported twice. Events carry the token given to arm().
//
// Thread safety: arm and disarm are called with the driver's lock held; flush and reap with the lock, by the owning
// thread; wait by the owning thread without the lock; signal and metrics by any thread.
#pragma once

#include <skua/core/clock.hpp>
#include <skua/core/result.hpp>
#include <skua/reactor/driver_metrics.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>

namespace skua::reactor {

/// Below 2^63 - 1: the pollers keep the higher ones for themselves.
using Token = std::uint64_t;

/// `mask` holds EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLPRI, EPOLLHUP, EPOLLERR, whose values poll() shares.
struct PollEvent {
  Token token;
  std::uint32_t mask;
  bool last;      // the kernel is done with the token: nothing will be reported for it any more
  int error = 0;  // why the kernel does not watch the descriptor; then there is no mask, and it is the last
  /// EPOLLPRI means it: there is urgent data. (A multishot poll passes on what woke it, and TCP wakes with EPOLLPRI for
  /// every byte.)
  bool is_exact = false;
};

class PollSink {
 public:
  virtual void on_event(const PollEvent& event) = 0;
  /// Events have been lost, perhaps last ones: any watch may have ended unnoticed. To disarm() it reports that.
  virtual void on_loss() = 0;

 protected:
  ~PollSink() = default;
};

class Poller {
 public:
  virtual ~Poller() = default;

  /// "io_uring" or "epoll".
  virtual const char* name() const noexcept = 0;

  /// What becomes readable when there is something to reap, or signal() is called, and stays so until reap(): for an
  /// owner that waits elsewhere than in wait(). With the driver's lock held, by the owner. The poller's own.
  virtual Result<int> native_fd() { return Error(std::errc::not_supported, "native_fd"); }
  /// The calling thread is the owner from now on. True: there was another one, and all it watched has ended without a
  /// word; arm it again. With the driver's lock held.
  virtual Result<bool> take_over() { return false; }

  /// Begins to watch `fd`. 0 or an errno. A failure that shows only later is reported as
  /// an event with an error.
  virtual int arm(int fd, Token token) = 0;
  /// Ends it. True: done, the descriptor may be closed. False: an event with `last` will follow, perhaps two; close it
  /// then, for the kernel still holds the file.
  virtual bool disarm(int fd, Token token) = 0;
  /// Hands what arm() and disarm() have queued to the kernel. False: the kernel did not take all; call again soon.
  virtual bool flush() = 0;

  /// Sleeps until something is to be reaped, signal() is called, or `timeout` (none: never) has passed.
  virtual void wait(std::optional<Duration> timeout) = 0;
  /// Reports events to `sink`: those that wait() brought, or what is there; `most` at most, and some hundreds.
  virtual void reap(PollSink& sink, std::size_t most) = 0;
  /// Ends wait(), or the next one.
  virtual void signal() noexcept = 0;

  virtual PollerMetrics metrics() const noexcept { return {}; }
};

/// How many entries the queues of a ring have; the kernel rounds up to powers of two. Small queues are slower and
/// nothing else: what does not fit is submitted later, or kept by the kernel until there is room.
struct RingSizes {
  RingSizes() = default;
  RingSizes(std::uint32_t submissions, std::uint32_t completions) noexcept
      : submission_entries(submissions), completion_entries(completions) {}
  std::uint32_t submission_entries = 256;   // 1 to 32768
  std::uint32_t completion_entries = 4096;  // 1 to 65536; fewer than submission entries stand for as many as those
};

/// `error().message()` says why the kernel refuses, e.g. "io_uring_setup: Operation not permitted".
Result<std::unique_ptr<Poller>> make_ring_poller(const RingSizes& sizes = RingSizes());
Result<std::unique_ptr<Poller>> make_epoll_poller();
/// Logs, once in a process, why epoll is used where io_uring might have been.
void warn_of_refused_ring(const Error& reason);

}  // namespace skua::reactor
