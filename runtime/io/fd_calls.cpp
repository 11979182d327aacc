#include <skua/core/kernel.hpp>
#include <skua/io/fd_calls.hpp>
#include <skua/io/sigpipe.hpp>

#include <cerrno>

namespace skua {

ssize_t FdReadCall::attempt(int fd) const noexcept { return kernel::read(fd, buffer.data(), buffer.size()); }

ssize_t FdVectoredReadCall::attempt(int fd) const noexcept {
  return kernel::readv(fd, parts.data(), static_cast<int>(parts.size()));
}

ssize_t FdWriteCall::attempt(int fd) const noexcept {
  if (sigpipe == RaisesSigpipe::yes) return write_without_sigpipe(fd, buffer);
  return kernel::write(fd, buffer.data(), buffer.size());
}

ssize_t FdVectoredWriteCall::attempt(int fd) const noexcept {
  if (sigpipe == RaisesSigpipe::yes) return write_without_sigpipe(fd, parts);
  return kernel::writev(fd, parts.data(), static_cast<int>(parts.size()));
}

ssize_t FdWriteAllCall::attempt(int fd) noexcept {
  while (!rest.has_nothing_to_do()) {
    const ssize_t count = rest.attempt(fd);
    if (count < 0) return count;
    if (count == 0) return -EIO;  // a device that takes nothing would be asked for ever
    rest.buffer = rest.buffer.after(static_cast<std::size_t>(count));
  }
  return 0;
}

}  // namespace skua
