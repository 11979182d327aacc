// StandardInput and StandardOutput: descriptors 0, 1 and 2.
//
//   StandardInput in = co_await try_(StandardInput::open());
//   std::size_t n = co_await try_(in.read(buffer));       // 0: the end
//   StandardOutput out = co_await try_(StandardOutput::open());
//   co_await try_(out.write_all("a line\n"));
//
// Whoever shares a stream with this program (the shell, its parent, the next program in the terminal) finds it as it
// was: O_NONBLOCK is never set on a description that others have. How: io/standard_descriptor.hpp.
//
// Nothing is buffered: a write is with the kernel when it is ready, and there is nothing to flush. Nor does it pass
// through std::cout and printf(); flush those before. write() and write_all() of all tasks, through whatever objects,
// take turns on each stream: what one write_all() writes stays together. (Not with what other processes write to a
// terminal or file, except to pipes up to PIPE_BUF bytes.)
//
// A pipe whose reader is gone is an error, broken_pipe, and no SIGPIPE: a filter ends at it, silently.
//
// Objects are cheap and may be many; dropping them closes nothing of the program's. Thread safety: any thread. They
// must outlive their pending operations.
#pragma once

#include <skua/core/task.hpp>
#include <skua/io/buffer.hpp>
#include <skua/io/standard_descriptor.hpp>
#include <skua/reactor/io_source.hpp>

#include <cstddef>
#include <utility>

namespace skua {

/// What both have.
class StandardEnd {
 public:
  StandardStream stream() const noexcept { return stream_; }

 protected:
  StandardEnd(StandardStream stream, StandardDescriptor descriptor);
  StandardDescriptor::Kind kind() const noexcept { return kind_; }
  reactor::IoSource& source() const noexcept { return *source_; }
  /// Of kind `shared`: returns when a call is worth a try, as far as the kernel can tell.
  Task<Result<void>> until_ready(reactor::Direction direction) const;

 private:
  StandardStream stream_;
  StandardDescriptor::Kind kind_;
  bool is_pollable_;
  Ref<reactor::IoSource> source_;
};

class StandardInput : public StandardEnd {
 public:
  /// Errors: bad_file_descriptor if the program was started without.
  static Result<StandardInput> open();

  /// Ready with how many bytes came, at least one; 0 at the end, and for an empty buffer. (A terminal may go on after
  /// its end.) Cancel safety: no bytes are lost; what a dropped read has taken, the next one gets.
  Task<Result<std::size_t>> read(MutableBuffer buffer);

 private:
  using StandardEnd::StandardEnd;
  Task<Result<std::size_t>> read_shared(MutableBuffer buffer);
};

class StandardOutput : public StandardEnd {
 public:
  /// Standard output; standard error. Errors: bad_file_descriptor if the program was started without.
  static Result<StandardOutput> open();
  static Result<StandardOutput> open_error();

  /// Ready with how many bytes were taken, at least one. Cancel safety: nothing has been written, except to regular
  /// files and devices: there a write that has begun goes on.
  Task<Result<std::size_t>> write(ConstBuffer buffer);
  /// Ready when all bytes are with the kernel; meanwhile no other task's bytes get between them. Not cancel safe: an
  /// unknown part has been written.
  Task<Result<void>> write_all(ConstBuffer buffer);

 private:
  using StandardEnd::StandardEnd;
  static Result<StandardOutput> open(StandardStream stream);
  Task<Result<std::size_t>> write_now(ConstBuffer buffer);
  Task<Result<std::size_t>> write_shared(ConstBuffer buffer);
};

}  // namespace skua
