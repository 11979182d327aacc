#include <skua/core/kernel.hpp>
#include <skua/process/launch_preparation.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

namespace skua {

namespace {

bool has_zero(const std::string& text) noexcept { return text.find('\0') != std::string::npos; }

std::string_view name_in(std::string_view variable) noexcept { return variable.substr(0, variable.find('=')); }

// execve() takes pointers to char, and does not write there.
char* pointer_to(const std::string& text) noexcept { return const_cast<char*>(text.c_str()); }

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(pointer_to(text));
  pointers.push_back(nullptr);
  return pointers;
}

template <class End>
Result<std::optional<End>> adopt(OwnedFd fd) {
  if (!fd) return std::optional<End>();
  Result<End> end = End::from_fd(std::move(fd));
  if (!end) return std::move(end).error();
  return std::optional<End>(*std::move(end));
}

}  // namespace

LaunchPreparation::LaunchPreparation(const Command& command) : command_(command) {
  for (const auto& [stdio, number] : command.passed_) highest_number_ = std::max(highest_number_, number);
}

Result<Child> LaunchPreparation::launch() {
  if (auto checked = check_strings(); !checked) return std::move(checked).error();
  collect_arguments();
  collect_environment();
  collect_paths();
  if (auto prepared = prepare_streams(); !prepared) return std::move(prepared).error();
  auto to_stdin = adopt<PipeWriter>(std::move(stdin_));
  if (!to_stdin) return describe(to_stdin.error(), LaunchStep::none);
  auto from_stdout = adopt<PipeReader>(std::move(stdout_));
  if (!from_stdout) return describe(from_stdout.error(), LaunchStep::none);
  auto from_stderr = adopt<PipeReader>(std::move(stderr_));
  if (!from_stderr) return describe(from_stderr.error(), LaunchStep::none);
  LaunchPlan launched = plan();
  Result<LaunchedChild> process = launch_child(launched);
  if (!process) return describe(process.error(), launched.failed_step);
  Child child(process->id, process->pidfd.release(), command_.program_);
  child.kill_on_drop_ = command_.kill_on_drop_.value_or(false);
  child.output_limit_ = command_.output_limit_;
  child.stdin_ = *std::move(to_stdin);
  child.stdout_ = *std::move(from_stdout);
  child.stderr_ = *std::move(from_stderr);
  return child;
}

Result<void> LaunchPreparation::check_strings() const {
  if (has_zero(command_.program_)) return invalid("the name contains a zero byte");
  if (has_zero(command_.arg0_.value_or(""))) return invalid("arg0 contains a zero byte");
  if (std::ranges::any_of(command_.arguments_, has_zero)) return invalid("an argument contains a zero byte");
  if (has_zero(command_.directory_.value_or(""))) return invalid("the directory's name contains a zero byte");
  for (const auto& [name, value] : command_.variables_) {
    if (name.empty() || name.find('=') != std::string::npos || has_zero(name)) {
      return invalid("a variable's name is empty, or contains '=' or a zero byte");
    }
    if (has_zero(value.value_or(""))) return invalid("a variable contains a zero byte");
  }
  return {};
}

void LaunchPreparation::collect_arguments() {
  argument_pointers_ = pointers_to(command_.arguments_);
  const std::string& own_name = command_.arg0_ ? *command_.arg0_ : command_.program_;
  argument_pointers_.insert(argument_pointers_.begin(), pointer_to(own_name));
}

void LaunchPreparation::collect_environment() {
  if (!command_.clear_environment_) {
    for (char** variable = ::environ; variable != nullptr && *variable != nullptr; ++variable) {
      if (!command_.variables_.contains(std::string(name_in(*variable)))) environment_.emplace_back(*variable);
    }
  }
  for (const auto& [name, value] : command_.variables_) {
    if (value) environment_.push_back(std::string(name).append("=").append(*value));
  }
  environment_pointers_ = pointers_to(environment_);
}

void LaunchPreparation::collect_paths() {
  const std::string& program = command_.program_;
  if (program.find('/') != std::string::npos) {
    paths_.push_back(program);
  } else if (!program.empty()) {
    std::string_view places = "/bin:/usr/bin";
    for (const std::string& variable : environment_) {
      if (name_in(variable) == "PATH") places = std::string_view(variable).substr(5);
    }
    for (bool more = true; more;) {
      const std::size_t colon = places.find(':');
      const std::string_view place = places.substr(0, colon);
      // Nothing between two colons is the current directory, as it has always been.
      paths_.push_back(std::string(place.empty() ? std::string_view(".") : place).append("/").append(program));
      more = colon != std::string_view::npos;
      if (more) places.remove_prefix(colon + 1);
    }
  }
  for (const std::string& path : paths_) path_pointers_.push_back(path.c_str());
  path_pointers_.push_back(nullptr);
}

Result<void> LaunchPreparation::prepare_streams() {
  struct Stream {
    const std::optional<Stdio>& stdio;
    int number;
    OwnedFd& our_end;
  };
  const Stream streams[] = {
      {command_.stdin_, 0, stdin_}, {command_.stdout_, 1, stdout_}, {command_.stderr_, 2, stderr_}};
  for (const Stream& stream : streams) {
    if (!stream.stdio || stream.stdio->kind() == Stdio::Kind::inherit) continue;
    if (stream.stdio->kind() == Stdio::Kind::descriptor) {
      if (auto later = move_later(stream.stdio->fd(), OwnedFd(), stream.number); !later) return later;
      continue;
    }
    Result<OwnedFd> childs = open_stream(stream.stdio, stream.number, stream.our_end);
    if (!childs) return std::move(childs).error();
    const int fd = childs->get();
    if (auto later = move_later(fd, *std::move(childs), stream.number); !later) return later;
  }
  for (const auto& [stdio, number] : command_.passed_) {
    if (auto later = move_later(stdio.fd(), OwnedFd(), number); !later) return later;
  }
  return {};
}

Result<OwnedFd> LaunchPreparation::open_stream(const std::optional<Stdio>& stdio, int number, OwnedFd& our_end) const {
  if (stdio->kind() == Stdio::Kind::null) {
    const int null = kernel::open("/dev/null", (number == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
    if (null < 0) return describe(system_error(-null, "open /dev/null"), LaunchStep::none);
    return OwnedFd(null);
  }
  int ends[2];
  if (const int error = kernel::pipe2(ends, O_CLOEXEC); error < 0) {
    return describe(system_error(-error, "pipe2"), LaunchStep::none);
  }
  OwnedFd reading(ends[0]);
  OwnedFd writing(ends[1]);
  our_end = std::move(number == 0 ? writing : reading);
  return std::move(number == 0 ? reading : writing);
}

Result<void> LaunchPreparation::move_later(int fd, OwnedFd owned, int number) {
  if (fd <= highest_number_) {
    fd = kernel::fcntl(fd, F_DUPFD_CLOEXEC, highest_number_ + 1);
    if (fd < 0) return describe(system_error(-fd, "duplicate a descriptor"), LaunchStep::none);
    owned = OwnedFd(fd);
  }
  moves_.push_back({fd, number});
  childs_ends_.push_back(std::move(owned));
  return {};
}

LaunchPlan LaunchPreparation::plan() noexcept {
  LaunchPlan plan;
  plan.new_session = command_.new_session_;
  plan.set_group = command_.group_.has_value();
  plan.group = command_.group_.value_or(0);
  plan.set_umask = command_.umask_.has_value();
  plan.umask = command_.umask_.value_or(0);
  plan.directory = command_.directory_ ? command_.directory_->c_str() : nullptr;
  plan.moves = moves_.data();
  plan.move_count = moves_.size();
  plan.paths = path_pointers_.data();
  plan.arguments = argument_pointers_.data();
  plan.environment = environment_pointers_.data();
  return plan;
}

Error LaunchPreparation::describe(const Error& error, LaunchStep step) const {
  std::string subject = command_.program_;
  switch (step) {
    case LaunchStep::none: subject.append(" (").append(error.operation()).append(")"); break;
    case LaunchStep::new_session: subject.append(" (new session)"); break;
    case LaunchStep::process_group: subject.append(" (process group)"); break;
    case LaunchStep::change_directory: subject.append(" in directory ").append(*command_.directory_); break;
    case LaunchStep::pass_descriptors: subject.append(" (pass descriptors)"); break;
    case LaunchStep::execute: break;
  }
  return Error(error.code(), "spawn", std::move(subject));
}

Error LaunchPreparation::invalid(const char* why) const {
  std::string subject = command_.program_.c_str();
  return Error(std::errc::invalid_argument, "spawn", subject.append(" (").append(why).append(")"));
}

}  // namespace skua
