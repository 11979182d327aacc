#include <skua/core/kernel.hpp>
#include <skua/core/try.hpp>
#include <skua/io/read_to_end.hpp>
#include <skua/process/child.hpp>
#include <skua/process/child_reaper.hpp>
#include <skua/signal/signal_name.hpp>
#include <skua/task/try_join.hpp>

#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <memory>

namespace skua {

namespace {

Task<Result<std::string>> read_all(std::optional<PipeReader> from, std::size_t limit, const std::string& program) {
  if (!from) co_return std::string();
  Result<std::string> text = co_await read_to_string(*from, limit);
  if (!text) co_return error_of_part(text.error(), "collect the output of", program);
  co_return text;
}

Task<Result<void>> write_and_close(std::optional<PipeWriter> to, std::string input) {
  if (!to) co_return {};
  PipeWriter writer = *std::move(to);  // closed when all is written: parameters live as long as the frame
  const Result<void> written = co_await writer.write_all(input);
  if (!written && written.error() != std::errc::broken_pipe) co_return written.error();
  co_return {};
}

}  // namespace

ssize_t WaitCall::attempt(int pidfd) noexcept {
  siginfo_t info{};
  const int error = kernel::wait_child(pidfd, &info, WEXITED | WNOHANG);
  if (error == -ECHILD) return 0;  // no status: finish() tells
  if (error < 0) return error;
  if (info.si_pid == 0) return -EAGAIN;
  status.emplace(info.si_code, info.si_status);
  return 0;
}

Result<ExitStatus> WaitCall::finish(ssize_t) const {
  if (status) return *status;
  std::string subject = std::to_string(id);
  subject += ", whose status is gone: SIGCHLD is ignored, or other code waits for any child";
  return system_error(ECHILD, name, std::move(subject));
}

Child& Child::operator=(Child&& other) noexcept {
  if (this == &other) return *this;
  std::destroy_at(this);
  return *std::construct_at(this, std::move(other));
}

Child::~Child() {
  if (!pidfd_ || status_) return;
  if (kill_on_drop_) kernel::pidfd_send_signal(pidfd_->fd(), SIGKILL);
  reap_when_ended(std::move(pidfd_));
}

IoOperation<WaitCall> Child::wait() noexcept {
  stdin_.reset();
  return {*pidfd_, WaitCall(id_, status_)};
}

Result<std::optional<ExitStatus>> Child::try_wait() {
  WaitCall call(id_, status_);
  if (call.has_nothing_to_do()) return status_;
  const ssize_t error = call.attempt(pidfd_->fd());
  if (error == -EAGAIN) return std::optional<ExitStatus>();
  if (error < 0) return system_error(static_cast<int>(-error), WaitCall::name);
  Result<ExitStatus> status = call.finish(0);
  if (!status) return std::move(status).error();
  return std::optional(*status);
}

Result<void> Child::send_signal(int number) {
  const int error = status_ ? -ESRCH : kernel::pidfd_send_signal(pidfd_->fd(), number);
  if (error < 0) return system_error(-error, "send signal", signal_name(number).append(" to ").append(program_));
  return {};
}

Result<void> Child::start_kill() {
  if (status_) return {};
  return send_signal(SIGKILL);
}

Task<Result<ExitStatus>> Child::kill() {
  co_await try_(start_kill());
  co_return co_await wait();
}

Task<Result<ProcessOutput>> Child::wait_with_output(std::string input) && {
  return collect(std::move(*this), std::move(input));
}

Task<Result<ProcessOutput>> Child::collect(Child child, std::string input) {
  auto streams = try_join(write_and_close(child.take_stdin(), std::move(input)),
                          read_all(child.take_stdout(), child.output_limit_, child.program_),
                          read_all(child.take_stderr(), child.output_limit_, child.program_));
  auto [written, output, errors] = co_await try_(streams);
  const ExitStatus status = co_await try_(child.wait());
  co_return ProcessOutput(status, std::move(output), std::move(errors));
}

}  // namespace skua
