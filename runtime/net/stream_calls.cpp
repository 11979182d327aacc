#include <skua/core/kernel.hpp>
#include <skua/net/stream_calls.hpp>

namespace skua {

namespace {

msghdr message_of(std::span<const iovec> parts) noexcept {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = parts.size();
  return message;
}

}  // namespace

Result<void> end_direction(int fd, Shutdown how) {
  const int error = kernel::shutdown(fd, static_cast<int>(how));
  // The peer was faster: the direction is ended, which is what was asked for.
  if (error < 0 && error != -ENOTCONN) return system_error(-error, "shutdown");
  return {};
}

ssize_t ReadCall::attempt(int fd) noexcept { return kernel::recv(fd, buffer.data(), buffer.size(), 0); }

ssize_t PeekCall::attempt(int fd) noexcept { return kernel::recv(fd, buffer.data(), buffer.size(), MSG_PEEK); }

ssize_t WriteCall::attempt(int fd) noexcept { return kernel::send(fd, buffer.data(), buffer.size(), MSG_NOSIGNAL); }

ssize_t WriteAllCall::attempt(int fd) noexcept {
  while (rest.size() != 0) {
    const ssize_t count = kernel::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (count < 0) return count;
    rest = rest.after(static_cast<std::size_t>(count));
  }
  return 0;
}

ssize_t VectoredReadCall::attempt(int fd) noexcept {
  msghdr message = message_of(parts);
  return kernel::recvmsg(fd, &message, 0);
}

ssize_t VectoredWriteCall::attempt(int fd) noexcept {
  const msghdr message = message_of(parts);
  return kernel::sendmsg(fd, &message, MSG_NOSIGNAL);
}

template <reactor::Direction which>
ssize_t ReadyCall<which>::attempt(int fd) noexcept {
  pollfd asked{.fd = fd, .events = which == reactor::Direction::read ? POLLIN | POLLRDHUP : POLLOUT, .revents = 0};
  const int count = kernel::poll_now(&asked, 1);
  return count == 0 ? -EAGAIN : count;
}
template struct ReadyCall<reactor::Direction::read>;
template struct ReadyCall<reactor::Direction::write>;

}  // namespace skua
