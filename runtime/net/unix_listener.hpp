// UnixListener and UnixSeqpacketListener: accept connections from processes of this machine.
//
// The socket's file stays when the listener ends, unless ListenOptions say otherwise, and bind() then fails with
// address_in_use although nobody listens. A server that may have crashed should hold a lock on a file beside the socket
// (flock) for as long as it lives, and having got that lock, remove the socket's file before bind(). Trying to connect,
// and removing the file if that is refused, is a race between two servers that start together. Who may connect is
// decided by the permissions of the file and its directory: make the directory 0700.
#pragma once

#include <skua/net/accept_operation.hpp>
#include <skua/net/unix_options.hpp>
#include <skua/net/unix_seqpacket.hpp>
#include <skua/net/unix_stream.hpp>

#include <utility>

namespace skua {

struct UnixListenOptions : UnixBindOptions {
  UnixListenOptions() = default;
  /// Connections that the kernel keeps until they are accepted; it caps the number (net.core.somaxconn).
  int backlog = 1024;
};

template <class Connection>
struct UnixAcceptCall {
  using Value = Connection;
  static constexpr auto direction = reactor::Direction::read;
  static constexpr const char* name = "accept";
  bool has_nothing_to_do() const noexcept { return false; }
  ssize_t attempt(int fd) noexcept {
    NativeAddress peer;
    return accept_next(fd, peer.pointer(), &peer.size);
  }
  bool drained(ssize_t) const noexcept { return false; }
  Result<Connection> finish(ssize_t fd) const { return Connection(Socket(static_cast<int>(fd))); }
};

/// Either kind of listener.
template <class Connection, int type>
class BasicUnixListener : public UnixOptions {
 public:
  /// Listens on `address`. Errors: address_in_use, no_such_file_or_directory, permission_denied, ..., with the address.
  static Result<BasicUnixListener> bind(const UnixAddress& address,
                                        const UnixListenOptions& options = UnixListenOptions()) {
    Result<BoundUnixSocket> bound = bind_unix(type, address, options);
    if (!bound) return std::move(bound).error();
    if (auto listening = bound->socket.listen(options.backlog, address.to_string()); !listening) {
      return std::move(listening).error();
    }
    return BasicUnixListener(*std::move(bound));
  }

  /// As TcpListener::accept().
  AcceptOperation<UnixAcceptCall<Connection>> accept() noexcept { return {source(), {}}; }

 private:
  explicit BasicUnixListener(BoundUnixSocket bound) noexcept
      : UnixOptions(std::move(bound.socket)), file_(std::move(bound.file)) {}
  SocketFile file_;
  ReserveDescriptor reserve_;
};

using UnixListener = BasicUnixListener<UnixStream, SOCK_STREAM>;
using UnixSeqpacketListener = BasicUnixListener<UnixSeqpacket, SOCK_SEQPACKET>;

}  // namespace skua
