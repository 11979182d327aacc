// Command: a program to be run, with its arguments and surroundings.
//
//   ProcessOutput listing = co_await try_(Command("ls").arg("-l").current_dir("/tmp").output());
//
// The child process gets:
//  - the arguments as they are: no shell is involved;
//  - of the descriptors of this process 0, 1 and 2 or what stands for them, and what pass_descriptor() names: nothing
//    that other code has left open (as in Python);
//  - every signal unblocked and with its default action, whatever is ignored or blocked here;
//  - the environment as it is when the child is started, with the changes made here.
//
// The program is looked for in the PATH of that environment, unless its name has a slash; a relative path is taken from
// current_dir().
//
// Starting takes the calling thread as long as the kernel needs to execute the program, usually less than a
// millisecond; no memory is copied. It needs a kernel with pidfds (5.4), and one that lets us use them: otherwise it is
// an error, before there is a child.
//
// Thread safety: as a value. May be used again and again, and copied. Needs no runtime, except to wait.
#pragma once

#include <skua/core/result.hpp>
#include <skua/core/task.hpp>
#include <skua/process/child.hpp>
#include <skua/process/stdio.hpp>

#include <sys/types.h>

#include <concepts>
#include <cstddef>
#include <map>
#include <optional>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

namespace skua {

class Command {
 public:
  explicit Command(std::string program) : program_(std::move(program)) {}

  Command& arg(std::string argument);
  /// Several, or a range of them. (No braces: g++ 12 refuses a list of initializers in a co_await expression.)
  template <std::convertible_to<std::string>... A>
  Command& args(A&&... arguments) {
    (arg(std::forward<A>(arguments)), ...);
    return *this;
  }
  template <std::ranges::input_range R>
    requires(!std::convertible_to<R, std::string>)
  Command& args(R&& arguments) {
    for (const auto& argument : arguments) arg(std::string(argument));
    return *this;
  }
  /// What the program is told as its own name, instead of what it was found by.
  Command& arg0(std::string name);

  /// Sets a variable; removes one; removes all that are not set here.
  Command& env(const std::string& name, std::string value);
  Command& env_remove(const std::string& name);
  Command& env_clear();

  Command& current_dir(std::string directory);

  /// The standard streams. The default: inherited; for output() that nothing is read, and what is written is piped.
  Command& stdin_from(Stdio stdio);
  Command& stdout_to(Stdio stdio);
  Command& stderr_to(Stdio stdio);
  /// The child has `fd` as descriptor `number`, at least 3. It is closed here with the last copy of the Command.
  Command& pass_descriptor(OwnedFd fd, int number);

  /// Joins a process group; 0 makes a new one, whose id is the child's: ::kill(-child.id(), ...) reaches all of it, and
  /// a ^C at the terminal does not.
  Command& process_group(pid_t group);
  /// Makes a new session, without a terminal.
  Command& new_session();
  Command& umask(mode_t mask);

  /// Dropping the Child, or the future of status() and output(), kills the process (SIGKILL; not its own children). The
  /// default: yes for status() and output(), where nobody else has it; no for spawn().
  Command& kill_on_drop(bool kill);
  /// How much of each output is collected before it is an error: default_output_limit.
  Command& output_limit(std::size_t bytes);

  /// Starts the program. Errors name the program: no_such_file_or_directory, permission_denied, argument_list_too_long,
  /// ..., with the directory if it is that which cannot be entered; invalid_argument for a zero byte in a string;
  /// too_many_files_open, resource_unavailable_try_again (too many processes).
  Result<Child> spawn() const;
  /// Starts the program and waits for its end. Cancel safety: see kill_on_drop().
  Task<Result<ExitStatus>> status() const;
  /// Starts the program, gives it `input` if there is some, collects what it writes, and waits; see
  /// Child::wait_with_output(). Cancel safety: see kill_on_drop(); what was collected is dropped.
  Task<Result<ProcessOutput>> output(std::string input = {}) const;

 private:
  friend class LaunchPreparation;
  static Task<Result<ExitStatus>> run(Command command);
  static Task<Result<ProcessOutput>> run_with_output(Command command, std::string input);

  std::string program_;
  std::optional<std::string> arg0_;
  std::vector<std::string> arguments_;
  std::map<std::string, std::optional<std::string>> variables_;  // nothing: removed
  bool clear_environment_ = false;
  std::optional<std::string> directory_;
  std::optional<Stdio> stdin_, stdout_, stderr_;
  std::vector<std::pair<Stdio, int>> passed_;
  bool new_session_ = false;
  std::optional<pid_t> group_;
  std::optional<mode_t> umask_;
  std::optional<bool> kill_on_drop_;
  std::size_t output_limit_ = default_output_limit;
};

}  // namespace skua
