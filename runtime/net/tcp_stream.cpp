#include <skua/core/kernel.hpp>
#include <skua/net/tcp_stream.hpp>

#include <netinet/tcp.h>

namespace skua {

namespace {

Result<void> end_direction(int fd, int how) {
  const int error = kernel::shutdown(fd, how);
  // The peer was faster: the direction is ended, which is what was asked for.
  if (error < 0 && error != -ENOTCONN) return system_error(-error, "shutdown");
  return {};
}

msghdr message_of(std::span<const iovec> parts) noexcept {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = parts.size();
  return message;
}

/// Ready when the socket has become writable: a connection attempt has ended.
class Writable {
 public:
  explicit Writable(reactor::IoSource& source) noexcept : wait_(source, reactor::Direction::write) {}
  Poll<Result<bool>> poll(Context& context) {
    Result<bool> is_ready = wait_.wait(context);
    if (is_ready && !*is_ready) return pending;
    return is_ready;
  }

 private:
  ReadinessWait wait_;
};

/// Ready at once, or after others have run if the task has used up its budget.
class Turn {
 public:
  Turn() = default;
  Poll<void> poll(Context& context) noexcept {
    if (!budget::take(context)) return pending;
    return ready;
  }
};

}  // namespace

ssize_t ReadCall::attempt(int fd) noexcept { return kernel::recv(fd, buffer.data(), buffer.size(), 0); }

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

Task<Result<TcpStream>> TcpStream::connect(SocketAddress address) {
  co_await Turn();  // on a loopback address the attempt ends, well or badly, without a wait
  Socket socket = co_await try_(Socket::make_tcp(address.family()));
  const int begun = kernel::connect(socket.native_handle(), address.native(), address.native_size());
  if (begun == -EINPROGRESS || begun == -EINTR) {
    // Before the descriptor is registered: the event that ends the attempt cannot have come yet.
    reactor::IoSource& source = socket.source();
    source.clear(reactor::Direction::write, source.snapshot(reactor::Direction::write));
    if (auto writable = co_await Writable(source); !writable) co_return std::move(writable).error();
    const int error = co_await try_(socket.option(SOL_SOCKET, SO_ERROR, "connect"));
    if (error != 0) co_return system_error(error, "connect", address.to_string());
    if (const auto peer = socket.peer_address(); !peer) {
      // Not connected, and no error: the runtime was shut down, which wakes everybody.
      const bool was_woken = peer.error() == std::errc::not_connected;
      co_return system_error(was_woken ? ECANCELED : peer.error().code().value(), "connect", address.to_string());
    }
  } else if (begun < 0) {
    co_return system_error(-begun, "connect", address.to_string());
  }
  co_return TcpStream(std::move(socket));
}

Result<void> TcpStream::shutdown(Shutdown how) { return end_direction(socket_.native_handle(), static_cast<int>(how)); }

Result<void> TcpStream::set_nodelay(bool on) {
  return socket_.set_option(IPPROTO_TCP, TCP_NODELAY, on, "set TCP_NODELAY");
}
Result<bool> TcpStream::nodelay() const {
  auto value = socket_.option(IPPROTO_TCP, TCP_NODELAY, "get TCP_NODELAY");
  if (!value) return std::move(value).error();
  return *value != 0;
}
Result<void> TcpStream::set_keepalive(bool on) {
  return socket_.set_option(SOL_SOCKET, SO_KEEPALIVE, on, "set SO_KEEPALIVE");
}
Result<void> TcpStream::set_ttl(int hops) {
  const bool v6 = local_address().value_or(SocketAddress()).family() == AF_INET6;
  return v6 ? socket_.set_option(IPPROTO_IPV6, IPV6_UNICAST_HOPS, hops, "set IPV6_UNICAST_HOPS")
            : socket_.set_option(IPPROTO_IP, IP_TTL, hops, "set IP_TTL");
}
Result<void> TcpStream::set_send_buffer_size(int bytes) {
  return socket_.set_option(SOL_SOCKET, SO_SNDBUF, bytes, "set SO_SNDBUF");
}
Result<void> TcpStream::set_receive_buffer_size(int bytes) {
  return socket_.set_option(SOL_SOCKET, SO_RCVBUF, bytes, "set SO_RCVBUF");
}

std::pair<TcpReader, TcpWriter> TcpStream::split() & noexcept {
  return {TcpReader(socket_.source_), TcpWriter(socket_.source_, false)};
}

std::pair<TcpReader, TcpWriter> TcpStream::into_split() && noexcept {
  return {TcpReader(socket_.source_), TcpWriter(std::move(socket_.source_), true)};
}

TcpWriter::~TcpWriter() {
  if (source_ && ends_direction_) static_cast<void>(shutdown());
}

Result<void> TcpWriter::shutdown() { return end_direction(source_->fd(), SHUT_WR); }

}  // namespace skua
