// UnixDatagram: datagrams between processes of one machine. None is lost: who sends too fast waits.
//
// Receiving and sending: DatagramOperations.
#pragma once

#include <skua/net/datagram_operations.hpp>
#include <skua/net/unix_options.hpp>
#include <skua/time/sleep.hpp>

#include <optional>
#include <utility>

namespace skua {

/// send_to() of a Unix socket. While the receiver's queue is full it tries again, after 0.1 ms and growing times up to
/// 64 ms. Readiness is of no use for that: the kernel calls a socket that is not connected writable all the time, and
/// says so anew after each try that failed.
class [[nodiscard]] UnixSendTo {
 public:
  UnixSendTo(reactor::IoSource& source, ConstBuffer buffer, const UnixAddress& peer) noexcept
      : source_(source), call_(buffer, peer) {}
  Poll<Result<void>> poll(Context& context);

 private:
  reactor::IoSource& source_;
  SendToCall<UnixAddress> call_;
  std::optional<Sleep> pause_;
  Duration delay_ = std::chrono::microseconds(100);
};

class UnixDatagram : public UnixOptions, public DatagramOperations<UnixDatagram, UnixAddress> {
 public:
  /// Bound to `address`, where others can send to. Errors: address_in_use, ..., with the address.
  static Result<UnixDatagram> bind(const UnixAddress& address, const UnixBindOptions& options = UnixBindOptions());
  /// Not bound: it can send, but nobody can answer.
  static Result<UnixDatagram> unbound();
  /// Two sockets that are connected with each other. The end of one is no event for the other: its send() fails with
  /// connection_refused, its recv() waits on.
  static Result<std::pair<UnixDatagram, UnixDatagram>> pair();
  /// Takes over a non-blocking datagram socket.
  explicit UnixDatagram(Socket socket) noexcept : UnixOptions(std::move(socket)) {}

  /// From now on send() goes to `peer`, and datagrams of others are refused. Does not wait. Errors:
  /// no_such_file_or_directory, connection_refused, ..., with the address.
  Result<void> connect(const UnixAddress& peer);
  /// As send(), to `peer`.
  UnixSendTo send_to(ConstBuffer buffer, const UnixAddress& peer) noexcept { return {source(), buffer, peer}; }
  /// Without a wait. A socket that is not connected counts as writable() all the time: do not loop over both.
  Result<void> try_send_to(ConstBuffer buffer, const UnixAddress& peer) {
    return try_now(source(), SendToCall<UnixAddress>(buffer, peer));
  }

 private:
  explicit UnixDatagram(BoundUnixSocket bound) noexcept
      : UnixOptions(std::move(bound.socket)), file_(std::move(bound.file)) {}
  SocketFile file_;
};

}  // namespace skua
