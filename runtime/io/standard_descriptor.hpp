// StandardDescriptor: a way to descriptor 0, 1 or 2 that leaves it as it is. Private.
//
// O_NONBLOCK belongs to the open file description, which the shell, the parent and other programs share: set by us it
// would make their reads fail. So a standard stream is, by what it is:
//
//   own      pipe, FIFO, terminal: opened once more (/proc/self/fd/N), which gives a description of our own
//   socket   the same description; each call says MSG_DONTWAIT
//   shared   regular files, devices, and whatever cannot be opened again (a pipe without a reader, a terminal of
//   another
//            user): the same description; calls may wait and go to the blocking pool, where the kernel can tell after
//            it has told that there is something to read or room to write
#pragma once

#include <skua/core/result.hpp>
#include <skua/io/owned_fd.hpp>

#include <string>

namespace skua {

enum class StandardStream : int { input = 0, output = 1, error = 2 };

/// "standard input"
const char* name_of(StandardStream stream) noexcept;
/// The error of an operation on it, with its name.
Error error_of(StandardStream stream, const Error& error, const char* operation);

class StandardDescriptor {
 public:
  enum class Kind { own, socket, shared };

  /// Error bad_file_descriptor if the stream is closed, or was when the program started: then whatever has its number
  /// now is something else.
  static Result<StandardDescriptor> open(StandardStream stream);

  Kind kind() const noexcept { return kind_; }
  /// Of kind `shared`: whether readiness can be waited for.
  bool is_pollable() const noexcept { return is_pollable_; }
  OwnedFd take() && noexcept { return std::move(fd_); }

 private:
  StandardDescriptor(OwnedFd fd, Kind kind, bool is_pollable) noexcept
      : fd_(std::move(fd)), kind_(kind), is_pollable_(is_pollable) {}
  OwnedFd fd_;
  Kind kind_;
  bool is_pollable_;
};

}  // namespace skua
