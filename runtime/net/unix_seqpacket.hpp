// UnixSeqpacket: a connection between processes of one machine that keeps the borders of messages: packets arrive
// whole, in order, and the connection has an end.
//
// Thread safety: one task may receive while another sends. A connection must outlive its pending operations.
#pragma once

#include <skua/net/datagram_calls.hpp>
#include <skua/net/descriptor_passing.hpp>
#include <skua/net/stream_calls.hpp>
#include <skua/net/unix_options.hpp>

#include <utility>

namespace skua {

/// An empty packet could not be told from the end: it is refused with invalid_argument.
struct PacketSendCall : SendCall {
  using SendCall::SendCall;
  ssize_t attempt(int fd) noexcept { return buffer.size() == 0 ? -EINVAL : SendCall::attempt(fd); }
};

class UnixSeqpacket : public UnixOptions, public DescriptorPassing<UnixSeqpacket> {
 public:
  /// As UnixStream::connect() and pair().
  static Task<Result<UnixSeqpacket>> connect(UnixAddress address);
  static Result<std::pair<UnixSeqpacket, UnixSeqpacket>> pair();
  /// Takes over a connected, non-blocking socket.
  explicit UnixSeqpacket(Socket socket) noexcept : UnixOptions(std::move(socket)) {}

  /// Ready with the next packet; of one that is larger than the buffer the rest is lost, and the result says so. At the
  /// end `full_size` is 0. Cancel safety: no packet is lost.
  IoOperation<RecvCall<0>> recv(MutableBuffer buffer) noexcept { return {source(), RecvCall<0>(buffer)}; }
  IoOperation<RecvCall<MSG_PEEK>> peek(MutableBuffer buffer) noexcept { return {source(), RecvCall<MSG_PEEK>(buffer)}; }
  /// Ready when the kernel has taken the packet, whole. Errors: message_size, broken_pipe, invalid_argument if it is
  /// empty (which could not be told from the end). Cancel safety: nothing has been sent.
  IoOperation<PacketSendCall> send(ConstBuffer packet) noexcept { return {source(), PacketSendCall(packet)}; }

  /// As recv() and send(), without a wait: the error operation_would_block stands for one.
  Result<Received> try_recv(MutableBuffer buffer) { return try_now(source(), RecvCall<0>(buffer)); }
  Result<void> try_send(ConstBuffer packet) { return try_now(source(), PacketSendCall(packet)); }

  /// Ends one or both directions: the peer receives the end after what was sent. Does not wait.
  Result<void> shutdown(Shutdown how) { return end_direction(socket().native_handle(), how); }
};

}  // namespace skua
