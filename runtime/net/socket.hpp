// Socket: a non-blocking, close-on-exec socket; the base of listeners, streams and datagram sockets.
#pragma once

#include <skua/core/ref.hpp>
#include <skua/core/result.hpp>
#include <skua/net/native_address.hpp>
#include <skua/reactor/io_source.hpp>

#include <string>
#include <utility>

namespace skua {

/// Move-only. Closes the descriptor with the last of those who share its source.
class Socket {
 public:
  /// As socket().
  static Result<Socket> make(int family, int type, int protocol = 0);
  /// Two connected Unix sockets, as socketpair().
  static Result<std::pair<Socket, Socket>> make_pair(int type);
  /// Takes over a descriptor, which must be a non-blocking socket.
  explicit Socket(int fd) : source_(make_ref<reactor::IoSource>(fd)) {}
  explicit Socket(Ref<reactor::IoSource> source) noexcept : source_(std::move(source)) {}
  Socket(Socket&&) noexcept = default;
  Socket& operator=(Socket&&) noexcept = default;

  int native_handle() const noexcept { return source_->fd(); }
  reactor::IoSource& source() const noexcept { return *source_; }
  /// The descriptor's life in the hands of another owner too, and of another owner only.
  Ref<reactor::IoSource> share() const noexcept { return source_; }
  Ref<reactor::IoSource> release() && noexcept { return std::move(source_); }

  /// As the system call; the error says "bind" and `name`, the address as text.
  Result<void> bind(const sockaddr* address, socklen_t size, std::string name) const;
  Result<void> listen(int backlog, std::string name) const;

  Result<NativeAddress> local_address() const;
  Result<NativeAddress> peer_address() const;

  /// setsockopt() and getsockopt(); errors say `name`.
  Result<void> set_option(int level, int option, int value, const char* name) const;
  Result<void> set_option(int level, int option, const void* value, socklen_t size, const char* name) const;
  Result<int> option(int level, int option, const char* name) const;
  /// Returns the size that the kernel filled in.
  Result<socklen_t> option(int level, int option, void* value, socklen_t size, const char* name) const;

 private:
  Ref<reactor::IoSource> source_;
};

}  // namespace skua
