// ControlListener: the listening socket of a control endpoint, and who may connect to it. Private.
//
// A Unix socket is made with mode 0600, so that the file system keeps others out from the first moment, and the peer's
// user is asked for as well: the same user, or root. A file that is there already is replaced only if it is a socket on
// which nobody answers; it is removed at the end, if it is still ours.
// On loopback any user of the machine may connect: there is no way to tell who it is.
//
// Thread safety: none.
#pragma once

#include <skua/control/control_address.hpp>
#include <skua/core/result.hpp>
#include <skua/io/owned_fd.hpp>

#include <cstdint>

namespace skua {

class ControlListener {
 public:
  /// Errors: address_in_use, somebody listens there; not_a_socket, the file is something else; and the system's.
  static Result<ControlListener> listen(ControlAddress address);
  ControlListener(ControlListener&&) noexcept;
  ControlListener& operator=(ControlListener&&) = delete;
  ~ControlListener();

  int fd() const noexcept { return socket_.get(); }
  /// With the port that the system has chosen.
  const ControlAddress& address() const noexcept { return address_; }

  /// A connection that may be served, non-blocking. Errors: operation_would_block; permission_denied, the peer is
  /// another user, and has been hung up on; and the system's.
  Result<OwnedFd> accept();

 private:
  struct File {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    friend bool operator==(const File&, const File&) noexcept = default;
  };

  ControlListener(OwnedFd socket, ControlAddress address, File file) noexcept;
  static Result<ControlListener> listen_on_path(ControlAddress address);
  static Result<ControlListener> listen_on_loopback(ControlAddress address);
  static Result<File> file_at(const std::string& path);

  OwnedFd socket_;
  ControlAddress address_;
  File file_;  // of the socket; zeros on loopback
};

}  // namespace skua
