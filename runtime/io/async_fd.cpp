#include <skua/io/async_fd.hpp>
#include <skua/io/pollable.hpp>

#include <string>

namespace skua {

Result<AsyncFd> AsyncFd::adopt(OwnedFd fd) {
  if (auto pollable = check_pollable(fd.get(), "adopt"); !pollable) return std::move(pollable).error();
  if (auto set = set_nonblocking(fd.get(), true, "adopt"); !set) return std::move(set).error();
  const RaisesSigpipe sigpipe = raises_sigpipe(fd.get());
  return AsyncFd(std::move(fd), sigpipe);
}

Result<AsyncFd> AsyncFd::borrow(int fd) {
  if (auto pollable = check_pollable(fd, "borrow"); !pollable) return std::move(pollable).error();
  auto nonblocking = is_nonblocking(fd, "borrow");
  if (!nonblocking) return std::move(nonblocking).error();
  if (!*nonblocking) {
    return Error(std::errc::invalid_argument, "borrow",
                 "descriptor " + std::to_string(fd) + ", which blocks (set O_NONBLOCK, or adopt() it)");
  }
  auto copy = duplicate(fd, "borrow");
  if (!copy) return std::move(copy).error();
  return AsyncFd(*std::move(copy), raises_sigpipe(fd));
}

OwnedFd AsyncFd::into_inner() && {
  const Ref<reactor::IoSource> source = std::move(source_);
  return OwnedFd(source->release());
}

}  // namespace skua
