// Writes to broken pipes without SIGPIPE, on kernels with RWF_NOSIGNAL and (by a filter) without.
#include <skua/core/thread.hpp>
#include <skua/io/owned_fd.hpp>
#include <skua/io/sigpipe.hpp>

#include "../support/probe.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace skua {

namespace {

/// pwritev2() knows no flags any more, as before Linux 6.18.
bool forget_rwf_nosignal() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwritev2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{sizeof program / sizeof *program, program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

OwnedFd broken_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_NONBLOCK | O_CLOEXEC) != 0) std::abort();
  const OwnedFd reader(fds[0]);
  return OwnedFd(fds[1]);
}

bool is_pending() {
  sigset_t set;
  ::sigpending(&set);
  return ::sigismember(&set, SIGPIPE) == 1;
}

sigset_t sigpipe_alone() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGPIPE);
  return set;
}
bool is_blocked() {
  sigset_t set;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &set);
  return ::sigismember(&set, SIGPIPE) == 1;
}

// Exits with what failed; 0 if nothing did. A signal ends it by itself.
#define CHECK(condition)                                                                     \
  do {                                                                                       \
    if (!(condition)) std::fprintf(stderr, "%d: %s\n", __LINE__, #condition), std::_Exit(1); \
  } while (false)

void check_writes() {
  const OwnedFd fd = broken_pipe();
  const iovec part{const_cast<char*>("x"), 1};
  for (int i = 0; i < 3; ++i) {
    CHECK(write_without_sigpipe(fd.get(), ConstBuffer("x")) == -EPIPE);
    CHECK(write_without_sigpipe(fd.get(), std::span(&part, 1)) == -EPIPE);
    CHECK(!is_pending());
  }
}

// What somebody sent to the process stays pending. Requires that `set`, SIGPIPE, is blocked in every thread.
void check_signal_to_process(const sigset_t& set) {
  static constexpr timespec at_once{};
  CHECK(::sigtimedwait(&set, nullptr, &at_once) == SIGPIPE);
  CHECK(!is_pending());
  ::kill(::getpid(), SIGPIPE);
  seam::Thread other("other", [] {
    CHECK(write_without_sigpipe(broken_pipe().get(), ConstBuffer("x")) == -EPIPE);
    CHECK(is_pending());
  });
  other.join();
  CHECK(is_pending());
}

void check_everything() {
  CHECK(::signal(SIGPIPE, SIG_DFL) != SIG_ERR);
  check_writes();
  CHECK(!is_blocked());
  seam::Thread ours("ours", check_writes);
  ours.join();

  // A thread that has blocked the signal and has one pending keeps both.
  const sigset_t set = sigpipe_alone();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::raise(SIGPIPE);
  CHECK(write_without_sigpipe(broken_pipe().get(), ConstBuffer("x")) == -EPIPE);
  CHECK(is_blocked());
  CHECK(is_pending());
  if (!tests::thread_sanitized) check_signal_to_process(set);  // it has a thread of its own

  struct sigaction now{};
  ::sigaction(SIGPIPE, nullptr, &now);
  CHECK(now.sa_handler == SIG_DFL);
  std::_Exit(0);
}

TEST(sigpipe, a_broken_pipe_is_an_error_and_no_signal) {
  EXPECT_EXIT(check_everything(), testing::ExitedWithCode(0), "");
}

TEST(sigpipe, nor_is_it_on_a_kernel_that_cannot_hold_the_signal_back) {
  const auto old_kernel = [] {
    CHECK(forget_rwf_nosignal());
    check_everything();
  };
  EXPECT_EXIT(old_kernel(), testing::ExitedWithCode(0), "");
}

TEST(sigpipe, the_checks_would_see_the_signal) {
  const auto plain = [] {
    const ssize_t written = ::write(broken_pipe().get(), "x", 1);
    std::_Exit(written == 1 ? 2 : 3);
  };
  EXPECT_EXIT(plain(), testing::KilledBySignal(SIGPIPE), "");
}

}  // namespace
}  // namespace skua
