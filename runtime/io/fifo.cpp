#include <skua/core/kernel.hpp>
#include <skua/io/fifo.hpp>
#include <skua/time/sleep.hpp>

#include <fcntl.h>

#include <algorithm>
#include <chrono>

namespace skua {

Result<OwnedFd> Fifo::open(int mode, const char* operation) const {
  const int fd = kernel::open(path_.c_str(), mode | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return system_error(-fd, operation, path_);
  OwnedFd opened(fd);
  struct stat status{};
  if (const int error = kernel::fstat(fd, &status); error < 0) return system_error(-error, operation, path_);
  if (!S_ISFIFO(status.st_mode)) {
    return Error(std::errc::invalid_argument, operation, path_ + ", which is not a FIFO");
  }
  return opened;
}

Result<PipeReader> Fifo::open_reader() const {
  auto fd = open(O_RDONLY, "open for reading");
  if (!fd) return std::move(fd).error();
  PipeReader reader(*std::move(fd));
  reader.expect_nothing();  // a read would take the absence of writers for the end
  return reader;
}

Result<PipeReader> Fifo::open_endless_reader() const {
  auto fd = open(O_RDWR, "open for reading");
  if (!fd) return std::move(fd).error();
  return PipeReader(*std::move(fd));
}

Result<PipeWriter> Fifo::open_writer() const {
  auto fd = open(O_WRONLY, "open for writing");
  if (!fd) return std::move(fd).error();
  return PipeWriter(*std::move(fd));
}

Task<Result<PipeWriter>> Fifo::wait_for_reader() const { return open_when_read(*this); }

Task<Result<PipeWriter>> Fifo::open_when_read(Fifo fifo) {
  for (Duration pause = std::chrono::milliseconds(1);;
       pause = std::min<Duration>(2 * pause, std::chrono::milliseconds(50))) {
    Result<PipeWriter> writer = fifo.open_writer();
    if (writer || !(writer.error() == std::errc::no_such_device_or_address)) co_return writer;
    co_await sleep(pause);
  }
}

}  // namespace skua
