// UnixOptions: what every kind of Unix socket can be asked, and how they are bound.
#pragma once

#include <skua/core/task.hpp>
#include <skua/net/socket_file.hpp>
#include <skua/net/socket_options.hpp>
#include <skua/net/unix_address.hpp>

#include <sys/types.h>

#include <string>

namespace skua {

/// Who is at the other end, as the kernel noted it when the connection was made; it cannot be forged.
struct UnixCredentials {
  UnixCredentials() = default;
  pid_t pid = 0;  // of a process that may have ended, and whose number may be in use again
  uid_t uid = 0;
  gid_t gid = 0;
};

class UnixOptions : public SocketOptions {
 public:
  Result<UnixAddress> local_address() const;
  /// Error: not_connected. Clients are unnamed unless they were bound.
  Result<UnixAddress> peer_address() const;
  /// SO_PEERCRED: of a stream, a packet connection, or either half of a pair. Error: not_connected.
  Result<UnixCredentials> peer_credentials() const;

 protected:
  using SocketOptions::SocketOptions;
};

struct UnixBindOptions {
  UnixBindOptions() = default;
  /// Removes the socket's file when the socket is dropped, unless another has taken its place. A file that is left
  /// makes the next bind() fail with address_in_use.
  bool unlink_on_drop = false;
};

/// A socket of this type that is bound, and its file if it is to be removed.
struct BoundUnixSocket {
  BoundUnixSocket(Socket bound, SocketFile to_remove) noexcept : socket(std::move(bound)), file(std::move(to_remove)) {}
  Socket socket;
  SocketFile file;
};
Result<BoundUnixSocket> bind_unix(int type, const UnixAddress& address, const UnixBindOptions& options);

/// A socket of this type that is connected. Waits, trying again after 1 ms and growing times up to 100 ms, while the
/// listener's queue is full.
Task<Result<Socket>> connect_unix(int type, UnixAddress address);

}  // namespace skua
