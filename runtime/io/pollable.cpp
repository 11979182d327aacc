#include <skua/core/kernel.hpp>
#include <skua/io/pollable.hpp>

#include <fcntl.h>

#include <string>

namespace skua {

namespace {

Error error_of(int fd, int number, const char* operation) {
  return system_error(number, operation, "descriptor " + std::to_string(fd));
}

}  // namespace

Result<void> check_pollable(int fd, const char* operation) {
  const OwnedFd epoll(kernel::epoll_create());
  if (!epoll) return error_of(fd, -epoll.get(), operation);
  epoll_event event{};
  event.events = EPOLLIN;
  if (const int error = kernel::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event); error < 0) {
    return error_of(fd, -error, operation);
  }
  // Closing `epoll` alone would be enough, were it not for duplicates of `fd`.
  kernel::epoll_ctl(epoll.get(), EPOLL_CTL_DEL, fd, nullptr);
  return {};
}

Result<bool> is_nonblocking(int fd, const char* operation) {
  const int flags = kernel::fcntl(fd, F_GETFL);
  if (flags < 0) return error_of(fd, -flags, operation);
  return (flags & O_NONBLOCK) != 0;
}

Result<void> set_nonblocking(int fd, bool on, const char* operation) {
  const int flags = kernel::fcntl(fd, F_GETFL);
  if (flags < 0) return error_of(fd, -flags, operation);
  const int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  if (wanted == flags) return {};
  if (const int error = kernel::fcntl(fd, F_SETFL, wanted); error < 0) return error_of(fd, -error, operation);
  return {};
}

Result<OwnedFd> duplicate(int fd, const char* operation) {
  const int copy = kernel::fcntl(fd, F_DUPFD_CLOEXEC);
  if (copy < 0) return error_of(fd, -copy, operation);
  return OwnedFd(copy);
}

RaisesSigpipe raises_sigpipe(int fd) noexcept {
  struct stat status{};
  if (kernel::fstat(fd, &status) < 0) return RaisesSigpipe::no;
  return S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) ? RaisesSigpipe::yes : RaisesSigpipe::no;
}

}  // namespace skua
