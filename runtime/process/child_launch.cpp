#include <skua/core/kernel.hpp>
#include <skua/process/child_launch.hpp>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <memory>

// What runs in the child must not be instrumented: a sanitizer would take it for the parent's thread, and keep books.
#if defined(__clang__)
#define SKUA_IN_CHILD __attribute__((disable_sanitizer_instrumentation))
#else
#define SKUA_IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined")))
#endif

namespace skua {

namespace {

// As the kernel knows it; all zero is SIG_DFL.
struct KernelSigaction {
  void* handler;
  unsigned long flags;
  void* restorer;
  std::uint64_t mask;
};

// Direct system calls, not the seam and not the C library's functions, which may be replaced by ones that lock.

SKUA_IN_CHILD void reset_signals() noexcept {
  const KernelSigaction usual{nullptr, 0, nullptr, 0};
  for (int number = 1; number < NSIG; ++number) {  // SIGKILL and SIGSTOP refuse, and are as they should be
    syscall(SYS_rt_sigaction, number, &usual, nullptr, sizeof usual.mask);
  }
}

SKUA_IN_CHILD void unblock_signals() noexcept {
  const std::uint64_t none = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
}

SKUA_IN_CHILD bool move_descriptors(const LaunchPlan& plan) noexcept {
  // What other code has opened without O_CLOEXEC. A kernel that refuses this leaves those open; ours never are.
  syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
  for (std::size_t i = 0; i < plan.move_count; ++i) {
    if (syscall(SYS_dup3, plan.moves[i].from, plan.moves[i].to, 0) < 0) return false;
  }
  return true;
}

// As execvp(): goes on to the next place if there is no such program, or one that may not be executed, which is
// remembered. A program that was given with its place is not there for the reason that the kernel says.
SKUA_IN_CHILD int execute(const LaunchPlan& plan) noexcept {
  const bool one_place = plan.paths[0] != nullptr && plan.paths[1] == nullptr;
  int result = ENOENT;
  for (const char* const* path = plan.paths; *path != nullptr; ++path) {
    syscall(SYS_execve, *path, plan.arguments, plan.environment);
    const int error = errno;
    const bool is_elsewhere = error == ENOENT || error == ENOTDIR || error == EACCES;
    if (one_place || !is_elsewhere) return error;
    if (error == EACCES) result = EACCES;
  }
  return result;
}

SKUA_IN_CHILD LaunchStep prepare(const LaunchPlan& plan) noexcept {
  reset_signals();
  if (plan.new_session && syscall(SYS_setsid) < 0) return LaunchStep::new_session;
  if (plan.set_group && syscall(SYS_setpgid, 0, plan.group) < 0) return LaunchStep::process_group;
  if (plan.set_umask) syscall(SYS_umask, plan.umask);
  if (plan.directory != nullptr && syscall(SYS_chdir, plan.directory) < 0) return LaunchStep::change_directory;
  if (!move_descriptors(plan)) return LaunchStep::pass_descriptors;
  unblock_signals();
  return LaunchStep::none;
}

SKUA_IN_CHILD int run_child(void* argument) noexcept {
  auto& plan = *static_cast<LaunchPlan*>(argument);
  plan.failed_step = prepare(plan);
  if (plan.failed_step != LaunchStep::none) {
    plan.error = errno;
  } else {
    const int error = execute(plan);  // returns if it fails
    plan.error = error;
    plan.failed_step = LaunchStep::execute;
  }
  syscall(SYS_exit_group, 127);
  return 127;
}

}  // namespace

Result<LaunchedChild> launch_child(LaunchPlan& plan) {
  constexpr std::size_t stack_size = 64 * 1024;
  const auto stack = std::make_unique_for_overwrite<std::byte[]>(stack_size);
  const auto end = reinterpret_cast<std::uintptr_t>(stack.get() + stack_size);
  void* const top = reinterpret_cast<void*>(end / 16 * 16);
  int fd = -1;
  const int id = kernel::clone_child(&run_child, &plan, top, &fd);
  if (id < 0) return system_error(-id, "clone");
  OwnedFd pidfd(fd);
  if (plan.failed_step == LaunchStep::none) return LaunchedChild(id, std::move(pidfd));
  siginfo_t ended{};
  kernel::wait_child(pidfd.get(), &ended, WEXITED);
  return system_error(plan.error, "exec");
}

}  // namespace skua
