// Fifo: a named pipe, opened without waiting for the other side.
//
//   PipeReader orders = co_await try_(Fifo("/run/orders").open_reader());
//   PipeWriter log = co_await try_(Fifo("/run/log").wait_for_reader());
#pragma once

#include <skua/core/task.hpp>
#include <skua/io/pipe.hpp>

#include <string>

namespace skua {

class Fifo {
 public:
  /// Opens nothing yet. mkfifo(3) makes one.
  explicit Fifo(std::string path) : path_(std::move(path)) {}

  /// Opens the reading end, whether somebody writes or not. The first read waits for a writer; each time the last of
  /// them has gone, reads are ready with 0 until another one comes. Errors, with the path: no_such_file_or_directory,
  /// permission_denied, invalid_argument if it is not a FIFO, ...
  Result<PipeReader> open_reader() const;
  /// As open_reader(), but the stream never ends: the reader counts as a writer too. For services.
  Result<PipeReader> open_endless_reader() const;
  /// Opens the writing end. Errors as above, and no_such_device_or_address while nobody reads.
  Result<PipeWriter> open_writer() const;
  /// As open_writer(), but waits for a reader, for whom it looks every 1 to 50 ms (the kernel tells nobody of those who
  /// wait in open()). Cancel safe.
  Task<Result<PipeWriter>> wait_for_reader() const;

 private:
  static Task<Result<PipeWriter>> open_when_read(Fifo fifo);
  Result<OwnedFd> open(int mode, const char* operation) const;
  std::string path_;
};

}  // namespace skua
