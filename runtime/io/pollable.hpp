// What may be watched, and how it becomes so: checks of descriptors that come from outside.
#pragma once

#include <skua/core/result.hpp>
#include <skua/io/fd_calls.hpp>
#include <skua/io/owned_fd.hpp>

namespace skua {

/// Error operation_not_permitted for what is always ready, though reading it may take long: regular files, directories,
/// some devices (/dev/null). epoll says so itself; io_uring would report such a descriptor as ready for ever. Others:
/// bad_file_descriptor.
Result<void> check_pollable(int fd, const char* operation);

Result<bool> is_nonblocking(int fd, const char* operation);
/// Sets or clears O_NONBLOCK. It is a property of the open file description: of every duplicate, here and in other
/// processes.
Result<void> set_nonblocking(int fd, bool on, const char* operation);

/// A second descriptor of the same open file description, close-on-exec.
Result<OwnedFd> duplicate(int fd, const char* operation);

RaisesSigpipe raises_sigpipe(int fd) noexcept;

}  // namespace skua
