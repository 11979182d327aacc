// DatagramOperations: what UDP and Unix datagram sockets have in common: messages that arrive whole or not at all.
//
// Thread safety: any number of tasks may send and receive; each datagram goes to one of them. A socket must outlive its
// pending operations. Cancel safety of all of them: a datagram that was not returned is still there, one whose sending
// was not reported has not been sent.
#pragma once

#include <skua/io/io_operation.hpp>
#include <skua/net/datagram_calls.hpp>
#include <skua/net/stream_calls.hpp>

#include <span>

namespace skua {

/// Base of `Derived`, which derives from SocketOptions too.
template <class Derived, class Address>
class DatagramOperations {
 public:
  /// Ready with the next datagram. If it is larger than the buffer its rest is lost, and the result says so. Empty
  /// datagrams are received like others (also into an empty buffer): there is no end. Errors: connection_refused if a
  /// connected peer has no socket any more; the socket stays usable.
  IoOperation<RecvCall<0>> recv(MutableBuffer buffer) noexcept { return {io_source(), RecvCall<0>(buffer)}; }
  /// As recv(), with the sender's address.
  IoOperation<RecvFromCall<Address, 0>> recv_from(MutableBuffer buffer) noexcept {
    return {io_source(), RecvFromCall<Address, 0>(buffer)};
  }
  /// As recv() and recv_from(); the datagram stays, and the next receive gets it again, whole.
  IoOperation<RecvCall<MSG_PEEK>> peek(MutableBuffer buffer) noexcept {
    return {io_source(), RecvCall<MSG_PEEK>(buffer)};
  }
  IoOperation<RecvFromCall<Address, MSG_PEEK>> peek_from(MutableBuffer buffer) noexcept {
    return {io_source(), RecvFromCall<Address, MSG_PEEK>(buffer)};
  }
  IoOperation<VectoredRecvCall> recv_vectored(std::span<const iovec> parts) noexcept {
    return {io_source(), VectoredRecvCall(parts)};
  }

  /// Ready when the kernel has taken the datagram, whole, for the peer that connect() named. Errors: message_size if it
  /// is too large; those of an earlier datagram, as connection_refused: then this one has not been sent.
  IoOperation<SendCall> send(ConstBuffer buffer) noexcept { return {io_source(), SendCall(buffer)}; }
  /// As send(), in pieces that make one datagram.
  IoOperation<VectoredSendCall> send_vectored(std::span<const iovec> parts) noexcept {
    return {io_source(), VectoredSendCall(parts)};
  }

  /// Without a wait: the error operation_would_block stands for one.
  Result<Received> try_recv(MutableBuffer buffer) { return try_now(io_source(), RecvCall<0>(buffer)); }
  Result<ReceivedFrom<Address>> try_recv_from(MutableBuffer buffer) {
    return try_now(io_source(), RecvFromCall<Address, 0>(buffer));
  }
  Result<void> try_send(ConstBuffer buffer) { return try_now(io_source(), SendCall(buffer)); }
  /// Ready when a try would not wait. Another task may be faster.
  IoOperation<ReadyCall<reactor::Direction::read>> readable() noexcept { return {io_source(), {}}; }
  IoOperation<ReadyCall<reactor::Direction::write>> writable() noexcept { return {io_source(), {}}; }

 protected:
  DatagramOperations() = default;
  ~DatagramOperations() = default;

 private:
  reactor::IoSource& io_source() noexcept { return static_cast<Derived&>(*this).socket().source(); }
};

}  // namespace skua
