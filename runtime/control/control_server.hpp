// ControlServer: answers who asks about the runtime. Private.
//
// It has a thread of its own, which sleeps in poll(2) and uses nothing of the runtime: it answers when every worker is
// stuck. One request for each connection. A connection that does not get on is closed: five seconds for the request,
// ten for the answer; and there are 16 at most, further ones wait in the kernel.
//
// Who may ask is up to ControlListener, and to the Host header: on loopback it must name loopback, so that a page of
// another site cannot have a browser ask in its name (DNS rebinding).
#pragma once

#include <skua/control/control_listener.hpp>
#include <skua/core/atomic.hpp>
#include <skua/core/clock.hpp>
#include <skua/core/thread.hpp>

#include <memory>
#include <string>
#include <vector>

namespace skua {

class RuntimeCore;

class ControlServer {
 public:
  /// `core` must live until stop(). Throws std::system_error: no thread left.
  static Result<std::unique_ptr<ControlServer>> start(const ControlAddress& address, RuntimeCore& core);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  const ControlAddress& address() const noexcept { return listener_.address(); }

  // Any thread
  /// From now on it says that the runtime is not ready.
  void announce_end() noexcept { is_ending_.store(true, std::memory_order_relaxed); }  // relaxed: late is as good
  /// Hangs up on whoever is connected, and ends the thread. Once.
  void stop();

 private:
  struct Connection;

  ControlServer(ControlListener listener, OwnedFd wake, RuntimeCore& core);
  void run();
  void accept(Instant now);
  void serve(Connection& connection, Instant now);
  void receive(Connection& connection, Instant now);
  void respond(Connection& connection, Instant now);
  void send(Connection& connection, Instant now);
  static void drain(Connection& connection);
  std::string reply_to(std::string_view received, bool is_late) const;
  bool is_full() const noexcept;

  // Constant after construction
  RuntimeCore& core_;
  OwnedFd wake_;
  // The thread's
  ControlListener listener_;
  std::vector<Connection> connections_;
  Instant accept_again_{};  // after a failure
  bool has_warned_ = false;
  // Any thread
  seam::Atomic<bool> is_ending_{false};
  seam::Atomic<bool> is_stopping_{false};
  seam::Thread thread_;
};

}  // namespace skua
