// The other side of a connection or a pipe: a thread with descriptors of its own, which the faults do not reach.
//
// Pacing. A short count or EAGAIN tells the runtime that there was no more, and it then waits for news. The kernel says
// so truthfully, so something happens later; a fault lies, so somebody has to make it true: whoever sends here sends
// the next piece when all before it have been consumed, or when another fault has been delivered, and whoever receives
// has the kernel report the other end anew then: announce_readiness().
#pragma once

#include <skua/net/socket_address.hpp>

#include "fault_plan.hpp"

#include <atomic>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace skua::tests {

/// Bytes that tell their place.
inline char byte_at(std::size_t position) { return static_cast<char>((position * 2654435761u) >> 13); }

/// A descriptor of the test's own.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }
  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }
  void close() noexcept;

 private:
  int fd_;
};

/// A listener on the loopback address.
class PeerListener {
 public:
  PeerListener();
  SocketAddress address() const { return address_; }
  /// Blocks. Nothing after stop().
  Descriptor accept();
  void stop() noexcept;

 private:
  Descriptor fd_;
  SocketAddress address_;
};

Descriptor connect_peer(const SocketAddress& address);
/// Of a socket.
void send_from(const Descriptor& peer, std::string_view text) noexcept;
/// The other side has closed its direction. Does not wait.
bool sees_the_end(const Descriptor& peer) noexcept;

/// True when `done` units have caught up with `sent`, or a fault has been delivered since the last time.
class Pace {
 public:
  explicit Pace(const FaultPlan& plan) noexcept : plan_(plan) {}
  /// Returns when it is time for the next.
  void wait(std::size_t sent);
  void done(std::size_t units) noexcept { done_.fetch_add(units); }
  void stop() noexcept { is_stopped_ = true; }
  bool is_stopped() const noexcept { return is_stopped_; }

 private:
  const FaultPlan& plan_;
  int faults_seen_ = 0;
  std::atomic<std::size_t> done_{0};
  std::atomic<bool> is_stopped_{false};
};

/// Sends `pieces` pieces of `size` bytes each, and with each of them the descriptor `passed`, if there is one.
class SendingPeer {
 public:
  SendingPeer(Descriptor fd, Pace& pace, std::size_t pieces, std::size_t size, int passed = -1);
  ~SendingPeer();

 private:
  Descriptor fd_;
  Pace& pace_;
  std::thread thread_;
};

/// Receives until the end of the stream what comes from the runtime's `sender`.
class ReceivingPeer {
 public:
  ReceivingPeer(Descriptor fd, int sender, const FaultPlan& plan);
  ~ReceivingPeer();
  /// Waits until so many bytes have come; false if they do not, or one was not what it should be.
  bool has_received(std::size_t bytes) const;
  bool all_bytes_were_good() const noexcept { return is_good_; }
  std::size_t received() const noexcept { return received_; }

 private:
  void run(int sender, const FaultPlan& plan);
  Descriptor fd_;
  std::atomic<std::size_t> received_{0};
  std::atomic<bool> is_good_{true};
  std::atomic<bool> is_stopped_{false};
  std::thread thread_;
};

/// Accepts connections and sends back what comes in.
class EchoPeer {
 public:
  EchoPeer();
  ~EchoPeer();
  SocketAddress address() const { return listener_.address(); }

 private:
  void run();
  PeerListener listener_;
  std::thread thread_;
};

}  // namespace skua::tests
