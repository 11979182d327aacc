// Child: a process that was started by a Command.
//
//   Child child = co_await try_(Command("sort").stdin_from(Stdio::piped()).spawn());
//   std::optional<PipeWriter> input = child.take_stdin();
//   co_await try_(input->write_all("b\na\n"));
//   input.reset();                                          // the end of its input
//   ExitStatus status = co_await try_(child.wait());
//
// Dropping it lets the process run on, unless kill_on_drop() was asked for. Its status is then taken as soon as it
// ends, so that no zombie stays: by the runtime that it was dropped in, or, where there is none (any more), when the
// next child is started. Nothing here waits for "any child": children of other code in the program are not touched.
//
// A process that writes more to a pipe than the pipe holds (64 KiB) sleeps until somebody reads: take what is piped and
// read it, or drop it, before or while you wait(). wait_with_output() does that.
//
// Thread safety: as a value; one task at a time. It must outlive the operations on it, where it is.
#pragma once

#include <skua/core/ref.hpp>
#include <skua/core/result.hpp>
#include <skua/core/task.hpp>
#include <skua/io/io_operation.hpp>
#include <skua/io/pipe.hpp>
#include <skua/process/exit_status.hpp>
#include <skua/process/process_output.hpp>
#include <skua/reactor/io_source.hpp>

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace skua {

/// The system call of Child::wait(): see IoOperation. Events that do not mean the end (a debugger's) are waited over.
struct WaitCall {
  using Value = ExitStatus;
  static constexpr auto direction = reactor::Direction::read;
  static constexpr const char* name = "wait for child";
  WaitCall(pid_t child, std::optional<ExitStatus>& to) noexcept : id(child), status(to) {}
  bool has_nothing_to_do() const noexcept { return status.has_value(); }
  ssize_t attempt(int pidfd) noexcept;
  static bool drained(ssize_t) noexcept { return false; }
  Result<ExitStatus> finish(ssize_t) const;
  pid_t id;
  std::optional<ExitStatus>& status;
};

class Child {
 public:
  Child(Child&&) noexcept = default;
  Child& operator=(Child&& other) noexcept;
  ~Child();

  /// The process id. It means this process until wait() or try_wait() has given its status.
  pid_t id() const noexcept { return id_; }

  /// Our ends of what was piped; nothing if it was not, or has been taken.
  std::optional<PipeWriter> take_stdin() noexcept { return std::exchange(stdin_, std::nullopt); }
  std::optional<PipeReader> take_stdout() noexcept { return std::exchange(stdout_, std::nullopt); }
  std::optional<PipeReader> take_stderr() noexcept { return std::exchange(stderr_, std::nullopt); }

  /// Closes standard input, unless it was taken, and is ready when the process has ended; again later with the same.
  /// Errors: no_child_process if its status is gone, because the program ignores SIGCHLD or other code waits for any
  /// child. Cancel safety: nothing is lost; standard input stays closed.
  IoOperation<WaitCall> wait() noexcept;
  /// The status if the process has ended; does not wait, and closes nothing. Errors: as wait().
  Result<std::optional<ExitStatus>> try_wait();

  /// Sends a signal. Errors: no_such_process if its status has been taken; operation_not_permitted.
  Result<void> send_signal(int number);
  /// Sends SIGKILL, unless its status has been taken. The process is not gone yet: wait().
  Result<void> start_kill();
  /// start_kill() and wait(). Cancel safety: the signal has been sent after the first poll; wait() then.
  Task<Result<ExitStatus>> kill();

  /// Writes `input` to standard input, if that was piped, and closes it; collects what is piped of the output until all
  /// who have it open have closed it; waits. A process that does not read all of its input is no error. Errors:
  /// value_too_large when the process has written more than the Command's output_limit(); the child is dropped then.
  /// Cancel safety: drops the child, and what was collected.
  Task<Result<ProcessOutput>> wait_with_output(std::string input = {}) &&;

 private:
  friend class LaunchPreparation;
  Child(pid_t id, int pidfd, std::string program)
      : id_(id), pidfd_(make_ref<reactor::IoSource>(pidfd)), program_(std::move(program)) {}
  static Task<Result<ProcessOutput>> collect(Child child, std::string input);

  pid_t id_;
  Ref<reactor::IoSource> pidfd_;  // null: moved from
  std::string program_;           // for errors
  bool kill_on_drop_ = false;
  std::size_t output_limit_ = default_output_limit;
  std::optional<ExitStatus> status_;
  std::optional<PipeWriter> stdin_;
  std::optional<PipeReader> stdout_;
  std::optional<PipeReader> stderr_;
};

}  // namespace skua
