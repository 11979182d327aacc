// LaunchPreparation: what a Command asks for, in the memory that launch_child() needs. Private.
#pragma once

#include <skua/core/result.hpp>
#include <skua/io/owned_fd.hpp>
#include <skua/io/pipe.hpp>
#include <skua/process/child_launch.hpp>
#include <skua/process/command.hpp>

#include <optional>
#include <string>
#include <vector>

namespace skua {

class LaunchPreparation {
 public:
  /// `command` must outlive the preparation.
  explicit LaunchPreparation(const Command& command);

  /// Starts the child, with the ends of its pipes.
  Result<Child> launch();

 private:
  Result<void> check_strings() const;
  void collect_arguments();
  void collect_environment();
  void collect_paths();
  Result<void> prepare_streams();
  /// The child's descriptor for one of its standard streams; ours goes to `our_end`.
  Result<OwnedFd> open_stream(const std::optional<Stdio>& stdio, int number, OwnedFd& our_end) const;
  /// `fd`, or a duplicate, above all numbers that the child's descriptors get.
  Result<void> move_later(int fd, OwnedFd owned, int number);
  LaunchPlan plan() noexcept;
  Error describe(const Error& error, LaunchStep step) const;
  Error invalid(const char* why) const;

  const Command& command_;
  std::vector<std::string> environment_;
  std::vector<std::string> paths_;
  // What is in the vectors of strings, null at the end
  std::vector<char*> argument_pointers_;
  std::vector<char*> environment_pointers_;
  std::vector<const char*> path_pointers_;
  std::vector<OwnedFd> childs_ends_;  // closed here when the child has them
  std::vector<DescriptorMove> moves_;
  int highest_number_ = 2;
  OwnedFd stdin_, stdout_, stderr_;  // our ends
};

}  // namespace skua
