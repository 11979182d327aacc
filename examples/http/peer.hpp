// Peer: who is at the other end of a connection, and how long we have patience with them.
#pragma once

#include "http/deadline.hpp"
#include "http/timeouts.hpp"

#include <skua/skua.hpp>

#include <span>
#include <string>

namespace http {

enum class Received { bytes, nothing_in_time, end };

class Peer {
 public:
  Peer(skua::TcpStream stream, const Timeouts& timeouts) : timeouts_(timeouts), stream_(std::move(stream)) {}

  /// What receive() is for takes at most `patience` from now on, however often it is called.
  void expect(std::chrono::milliseconds patience) noexcept { receiving_.restart(patience); }

  /// Reads what there is into `room`, and sets `count`.
  skua::Task<Received> receive(std::span<char> room, std::size_t& count);

  /// Writes all of `output`, and empties it. False if the peer is gone, or takes nothing in time.
  skua::Task<bool> send(std::string& output);

  /// Says that nothing more will come, and waits shortly for the peer to say so too; what it says else goes to
  /// `scratch`.
  skua::Task<> part(std::span<char> scratch);

 private:
  const Timeouts& timeouts_;
  skua::TcpStream stream_;
  Deadline receiving_;
  Deadline sending_;
};

}  // namespace http
