#include <skua/core/kernel.hpp>
#include <skua/net/datagram_calls.hpp>

namespace skua {

namespace {

msghdr message_of(std::span<const iovec> parts) noexcept {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = parts.size();
  return message;
}

}  // namespace

// MSG_TRUNC: the count is that of the whole datagram, also if it did not fit.

template <int flags>
ssize_t RecvCall<flags>::attempt(int fd) noexcept {
  return kernel::recv(fd, buffer.data(), buffer.size(), flags | MSG_TRUNC);
}
template struct RecvCall<0>;
template struct RecvCall<MSG_PEEK>;

ssize_t receive_datagram(int fd, MutableBuffer buffer, int flags, NativeAddress& from) noexcept {
  from = NativeAddress();
  return kernel::recvfrom(fd, buffer.data(), buffer.size(), flags | MSG_TRUNC, from.pointer(), &from.size);
}

ssize_t VectoredRecvCall::attempt(int fd) noexcept {
  msghdr message = message_of(parts);
  return kernel::recvmsg(fd, &message, MSG_TRUNC);
}
Result<Received> VectoredRecvCall::finish(ssize_t count) const {
  std::size_t room = 0;
  for (const iovec& part : parts) room += part.iov_len;
  const auto full = static_cast<std::size_t>(count);
  return Received(std::min(full, room), full);
}

ssize_t SendCall::attempt(int fd) noexcept { return kernel::send(fd, buffer.data(), buffer.size(), MSG_NOSIGNAL); }

ssize_t VectoredSendCall::attempt(int fd) noexcept {
  const msghdr message = message_of(parts);
  return kernel::sendmsg(fd, &message, MSG_NOSIGNAL);
}

ssize_t send_datagram(int fd, ConstBuffer buffer, const sockaddr* to, socklen_t size) noexcept {
  return kernel::sendto(fd, buffer.data(), buffer.size(), MSG_NOSIGNAL, to, size);
}

}  // namespace skua
