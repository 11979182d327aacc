// Socket: a non-blocking, close-on-exec socket and its options; the base of listeners and streams.
#pragma once

#include <skua/core/clock.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/result.hpp>
#include <skua/net/socket_address.hpp>
#include <skua/reactor/io_source.hpp>

#include <optional>

namespace skua {

class Socket {
 public:
  /// A TCP socket for addresses of that family.
  static Result<Socket> make_tcp(int family);
  /// Takes over a descriptor, which must be a non-blocking socket.
  explicit Socket(int fd) : source_(make_ref<reactor::IoSource>(fd)) {}

  int native_handle() const noexcept { return source_->fd(); }
  reactor::IoSource& source() const noexcept { return *source_; }

  Result<SocketAddress> local_address() const;
  Result<SocketAddress> peer_address() const;

  /// setsockopt() and getsockopt() with an int.
  Result<void> set_option(int level, int option, int value, const char* name) const;
  Result<int> option(int level, int option, const char* name) const;
  Result<void> set_linger(std::optional<std::chrono::seconds> linger) const;

 private:
  friend class TcpStream;
  Ref<reactor::IoSource> source_;
};

}  // namespace skua
