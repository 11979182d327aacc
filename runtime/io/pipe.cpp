#include <skua/core/kernel.hpp>
#include <skua/io/pipe.hpp>
#include <skua/io/pollable.hpp>
#include <skua/io/ready_guard.hpp>

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>

namespace skua {

namespace {

Result<std::size_t> capacity_of(int answer, const char* operation) {
  if (answer < 0) return system_error(-answer, operation);
  return static_cast<std::size_t>(answer);
}

bool has_error(int fd) noexcept {
  pollfd asked{fd, 0, 0};
  return kernel::poll_now(&asked, 1) == 1 && (asked.revents & POLLERR) != 0;
}

}  // namespace

Result<std::size_t> PipeEnd::capacity() const {
  return capacity_of(kernel::fcntl(native_handle(), F_GETPIPE_SZ), "get the pipe's capacity");
}

Result<std::size_t> PipeEnd::set_capacity(std::size_t bytes) {
  constexpr std::size_t most = std::numeric_limits<int>::max();
  const int wanted = static_cast<int>(std::min(bytes, most));
  return capacity_of(kernel::fcntl(native_handle(), F_SETPIPE_SZ, wanted), "set the pipe's capacity");
}

OwnedFd PipeEnd::into_fd() && {
  const Ref<reactor::IoSource> source = std::move(source_);
  return OwnedFd(source->release());
}

Result<OwnedFd> PipeEnd::into_blocking_fd() && {
  OwnedFd fd = std::move(*this).into_fd();
  if (auto cleared = set_nonblocking(fd.get(), false, "into_blocking_fd"); !cleared) return std::move(cleared).error();
  return fd;
}

Result<OwnedFd> PipeEnd::checked(OwnedFd fd, int mode, const char* operation) {
  struct stat status{};
  if (const int error = kernel::fstat(fd.get(), &status); error < 0) return system_error(-error, operation);
  const int flags = kernel::fcntl(fd.get(), F_GETFL);
  if (flags < 0) return system_error(-flags, operation);
  const int has = flags & O_ACCMODE;
  if (!S_ISFIFO(status.st_mode) || (has != mode && has != O_RDWR)) {
    return Error(std::errc::invalid_argument, operation,
                 "descriptor " + std::to_string(fd.get()) + ", which is not that end of a pipe");
  }
  if (auto set = set_nonblocking(fd.get(), true, operation); !set) return std::move(set).error();
  return fd;
}

Result<PipeReader> PipeReader::from_fd(OwnedFd fd) {
  auto checked_fd = checked(std::move(fd), O_RDONLY, "read from");
  if (!checked_fd) return std::move(checked_fd).error();
  return PipeReader(*std::move(checked_fd));
}

void PipeReader::expect_nothing() noexcept {
  constexpr auto direction = reactor::Direction::read;
  source().would_block(direction, source().snapshot(direction));
}

Result<PipeWriter> PipeWriter::from_fd(OwnedFd fd) {
  auto checked_fd = checked(std::move(fd), O_WRONLY, "write to");
  if (!checked_fd) return std::move(checked_fd).error();
  return PipeWriter(*std::move(checked_fd));
}

Task<Result<void>> PipeWriter::reader_gone() {
  for (;;) {
    ReadyGuard guard = co_await try_(ReadyFuture(source(), reactor::Direction::exceptional));
    if (has_error(native_handle())) co_return {};
    guard.clear_ready();
  }
}

Result<Pipe> pipe() {
  std::array<int, 2> fds{-1, -1};
  if (const int error = kernel::pipe2(fds.data(), O_NONBLOCK | O_CLOEXEC); error < 0) {
    return system_error(-error, "pipe");
  }
  OwnedFd read_end(fds[0]);
  OwnedFd write_end(fds[1]);
  auto reader = PipeReader::from_fd(std::move(read_end));
  if (!reader) return std::move(reader).error();
  auto writer = PipeWriter::from_fd(std::move(write_end));
  if (!writer) return std::move(writer).error();
  return Pipe(*std::move(reader), *std::move(writer));
}

}  // namespace skua
