#include <skua/core/assert.hpp>
#include <skua/core/try.hpp>
#include <skua/process/child_reaper.hpp>
#include <skua/process/command.hpp>
#include <skua/process/launch_preparation.hpp>

namespace skua {

Command& Command::arg(std::string argument) {
  arguments_.push_back(std::move(argument));
  return *this;
}

Command& Command::arg0(std::string name) {
  arg0_ = std::move(name);
  return *this;
}

Command& Command::env(const std::string& name, std::string value) {
  variables_.insert_or_assign(name, std::move(value));
  return *this;
}

Command& Command::env_remove(const std::string& name) {
  variables_.insert_or_assign(name, std::nullopt);
  return *this;
}

Command& Command::env_clear() {
  variables_.clear();
  clear_environment_ = true;
  return *this;
}

Command& Command::current_dir(std::string directory) {
  directory_ = std::move(directory);
  return *this;
}

Command& Command::stdin_from(Stdio stdio) {
  stdin_ = std::move(stdio);
  return *this;
}

Command& Command::stdout_to(Stdio stdio) {
  stdout_ = std::move(stdio);
  return *this;
}

Command& Command::stderr_to(Stdio stdio) {
  stderr_ = std::move(stdio);
  return *this;
}

Command& Command::pass_descriptor(OwnedFd fd, int number) {
  if (number < 3) {
    fail_fast("pass_descriptor() was given a number below 3", "Use stdin_from(), stdout_to() or stderr_to()");
  }
  passed_.emplace_back(Stdio::from(std::move(fd)), number);
  return *this;
}

Command& Command::process_group(pid_t group) {
  group_ = group;
  return *this;
}

Command& Command::new_session() {
  new_session_ = true;
  return *this;
}

Command& Command::umask(mode_t mask) {
  umask_ = mask;
  return *this;
}

Command& Command::kill_on_drop(bool kill) {
  kill_on_drop_ = kill;
  return *this;
}

Command& Command::output_limit(std::size_t bytes) {
  output_limit_ = bytes;
  return *this;
}

Result<Child> Command::spawn() const {
  reap_unwatched();
  return LaunchPreparation(*this).launch();
}

Task<Result<ExitStatus>> Command::status() const { return run(*this); }

Task<Result<ProcessOutput>> Command::output(std::string input) const {
  return run_with_output(*this, std::move(input));
}

Task<Result<ExitStatus>> Command::run(Command command) {
  command.kill_on_drop_ = command.kill_on_drop_.value_or(true);
  Child child = co_await try_(command.spawn());
  co_return co_await child.wait();
}

Task<Result<ProcessOutput>> Command::run_with_output(Command command, std::string input) {
  command.kill_on_drop_ = command.kill_on_drop_.value_or(true);
  if (!command.stdin_) command.stdin_ = input.empty() ? Stdio::null() : Stdio::piped();
  if (!command.stdout_) command.stdout_ = Stdio::piped();
  if (!command.stderr_) command.stderr_ = Stdio::piped();
  Child child = co_await try_(command.spawn());
  co_return co_await std::move(child).wait_with_output(std::move(input));
}

}  // namespace skua
