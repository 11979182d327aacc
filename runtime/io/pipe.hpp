// Pipes: PipeReader and PipeWriter, the ends of pipe() and of FIFOs.
//
//   Pipe ends = co_await try_(pipe());
//   co_await try_(ends.writer.write_all("ping"));
//   std::size_t n = co_await try_(ends.reader.read(buffer));   // 0: all writers are gone
//
// A write of at most PIPE_BUF (4096) bytes is atomic: it is never mixed with others', and taken as a whole. Who writes
// to a pipe that has no reader any more gets broken_pipe, and no SIGPIPE (io/sigpipe.hpp). A reader sees the end when
// the last copy of the writing end is closed: into_blocking_fd() gives an end away, to be handed to a child process.
//
// Thread safety: any thread. Several tasks may read, or write: each byte goes to one of them. An end must outlive its
// pending operations. Dropping it closes it.
#pragma once

#include <skua/core/task.hpp>
#include <skua/io/buffer.hpp>
#include <skua/io/fd_calls.hpp>
#include <skua/io/io_operation.hpp>
#include <skua/io/owned_fd.hpp>

#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <utility>

namespace skua {

/// What both ends have.
class PipeEnd {
 public:
  int native_handle() const noexcept { return source_->fd(); }
  /// How many bytes the pipe holds when it is full (F_GETPIPE_SZ, F_SETPIPE_SZ): at first 65536. The kernel rounds up,
  /// and says to what. Errors: operation_not_permitted above /proc/sys/fs/pipe-max-size, device_or_resource_busy if
  /// more is in it.
  Result<std::size_t> capacity() const;
  Result<std::size_t> set_capacity(std::size_t bytes);

  /// Gives the descriptor away, watched no more and still non-blocking. Requires that no operation is pending.
  OwnedFd into_fd() &&;
  /// The same, and O_NONBLOCK cleared, as a program expects of its standard streams. (Its duplicates share the flag.)
  Result<OwnedFd> into_blocking_fd() &&;

 protected:
  explicit PipeEnd(OwnedFd fd) : source_(make_ref<reactor::IoSource>(fd.release())) {}
  /// A FIFO or pipe that is open in `mode` (O_RDONLY, O_WRONLY); sets O_NONBLOCK.
  static Result<OwnedFd> checked(OwnedFd fd, int mode, const char* operation);
  reactor::IoSource& source() const noexcept { return *source_; }

 private:
  Ref<reactor::IoSource> source_;
};

class PipeReader : public PipeEnd {
 public:
  /// Takes over the reading end of a pipe or FIFO, and sets O_NONBLOCK on it. Errors: invalid_argument if it is
  /// something else.
  static Result<PipeReader> from_fd(OwnedFd fd);

  /// Ready with how many bytes came, at least one; 0 when all writers are gone, and for an empty buffer. A FIFO may be
  /// opened by other writers after that: then there is more to read. Cancel safety: no bytes are lost.
  IoOperation<FdReadCall> read(MutableBuffer buffer) noexcept { return {source(), FdReadCall(buffer)}; }
  /// As read(), with up to 1024 pieces.
  IoOperation<FdVectoredReadCall> read_vectored(std::span<const iovec> parts) noexcept {
    return {source(), FdVectoredReadCall(parts)};
  }

 private:
  friend class Fifo;
  using PipeEnd::PipeEnd;
  /// The first read waits for an event.
  void expect_nothing() noexcept;
};

class PipeWriter : public PipeEnd {
 public:
  /// As PipeReader::from_fd(), for the writing end.
  static Result<PipeWriter> from_fd(OwnedFd fd);

  /// Ready with how many bytes the pipe took: all, up to PIPE_BUF; of more perhaps not all. Errors: broken_pipe.
  /// Cancel safety: nothing has been written.
  IoOperation<FdWriteCall> write(ConstBuffer buffer) noexcept {
    return {source(), FdWriteCall(buffer, RaisesSigpipe::yes)};
  }
  /// As write(), with up to 1024 pieces.
  IoOperation<FdVectoredWriteCall> write_vectored(std::span<const iovec> parts) noexcept {
    return {source(), FdVectoredWriteCall(parts, RaisesSigpipe::yes)};
  }
  /// Ready when the pipe has taken all bytes. Not cancel safe: an unknown part has been written (of up to PIPE_BUF
  /// bytes: nothing).
  IoOperation<FdWriteAllCall> write_all(ConstBuffer buffer) noexcept {
    return {source(), FdWriteAllCall(buffer, RaisesSigpipe::yes)};
  }
  /// Ready when nobody can read any more: no need to produce what nobody wants. Cancel safe.
  Task<Result<void>> reader_gone();

 private:
  friend class Fifo;
  using PipeEnd::PipeEnd;
};

struct Pipe {
  Pipe(PipeReader read_end, PipeWriter write_end) noexcept
      : reader(std::move(read_end)), writer(std::move(write_end)) {}
  PipeReader reader;
  PipeWriter writer;
};

/// A new pipe. Errors: too_many_files_open and its like.
Result<Pipe> pipe();

}  // namespace skua
