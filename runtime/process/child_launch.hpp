// launch_child(): starts a program in a child process. Private.
//
// The child runs in the parent's memory, on a stack of its own, until it executes the program (CLONE_VM and
// CLONE_VFORK, as posix_spawn() does): nothing is copied, however large the parent is, and what fails in the child is
// told by a write to the plan. Only the calling thread waits for that, a fraction of a millisecond.
//
// Invariants:
//  1. Between clone and exec the child makes system calls and writes to the plan; it takes no lock and allocates
//     nothing, for the other threads run on, and what they hold stays held.
//  2. It is born with all signals blocked, and lets them through when none of them has a handler any more: no handler
//  of
//     the parent's runs in the child.
//  3. Of the parent's descriptors the program gets those named in the plan, and 0, 1 and 2.
//  4. The pidfd is there from the beginning: there is no child that cannot be waited for.
#pragma once

#include <skua/core/result.hpp>
#include <skua/io/owned_fd.hpp>

#include <sys/types.h>

#include <cstddef>

namespace skua {

enum class LaunchStep { none, new_session, process_group, change_directory, pass_descriptors, execute };

/// `from` is above all `to`.
struct DescriptorMove {
  int from;
  int to;
};

/// What the child does, in this order: plain memory, prepared by the parent.
struct LaunchPlan {
  bool new_session = false;
  bool set_group = false;
  pid_t group = 0;
  bool set_umask = false;
  mode_t umask = 0;
  const char* directory = nullptr;  // null: the parent's
  const DescriptorMove* moves = nullptr;
  std::size_t move_count = 0;
  const char* const* paths = nullptr;  // one after the other is tried, null at the end
  char* const* arguments = nullptr;
  char* const* environment = nullptr;

  // Written by the child
  LaunchStep failed_step = LaunchStep::none;
  int error = 0;
};

struct LaunchedChild {
  LaunchedChild(pid_t process, OwnedFd descriptor) noexcept : id(process), pidfd(std::move(descriptor)) {}
  pid_t id;
  OwnedFd pidfd;
};

/// Returns when the program runs. An error of which plan.failed_step is `none` says that there was no child.
Result<LaunchedChild> launch_child(LaunchPlan& plan);

}  // namespace skua
