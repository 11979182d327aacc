#include <skua/core/atomic.hpp>
#include <skua/core/kernel.hpp>

#include <fcntl.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

// glibc's clone() by its other name, which sanitizers do not replace: they take every clone() for a fork.
extern "C" int __clone(int (*start)(void*), void* stack_top, int flags, void* argument, ...) noexcept;

namespace skua::kernel {

namespace {

template <class T>
T result_of(T returned) noexcept {
  return returned < 0 ? static_cast<T>(-errno) : returned;
}

template <class Call>
auto restarting(Call call) noexcept {
  for (;;) {
    const auto result = result_of(call());
    if (result != -EINTR) return result;
  }
}

// Rounded up, for epoll_wait(): a timer must not find itself early and spin.
int milliseconds_of(const timespec* timeout) noexcept {
  if (timeout == nullptr) return -1;
  constexpr time_t most = 24 * 3600;  // longer than an int of milliseconds allows is as good as a day
  if (timeout->tv_sec >= most) return static_cast<int>(most * 1000);
  return static_cast<int>(timeout->tv_sec * 1000 + (timeout->tv_nsec + 999'999) / 1'000'000);
}

}  // namespace

int socket(int domain, int type, int protocol) noexcept { return result_of(::socket(domain, type, protocol)); }
int socketpair(int domain, int type, int protocol, int* fds) noexcept {
  return result_of(::socketpair(domain, type, protocol, fds));
}
int bind(int fd, const sockaddr* address, socklen_t size) noexcept { return result_of(::bind(fd, address, size)); }
int listen(int fd, int backlog) noexcept { return result_of(::listen(fd, backlog)); }
int accept4(int fd, sockaddr* address, socklen_t* size, int flags) noexcept {
  return restarting([&] { return ::accept4(fd, address, size, flags); });
}
// Not repeated: an interrupted connect goes on in the background, as a non-blocking one does.
int connect(int fd, const sockaddr* address, socklen_t size) noexcept {
  return result_of(::connect(fd, address, size));
}
int shutdown(int fd, int how) noexcept { return result_of(::shutdown(fd, how)); }
// Not repeated: on Linux the descriptor is gone even if the call was interrupted.
int close(int fd) noexcept { return result_of(::close(fd)); }
int getsockopt(int fd, int level, int option, void* value, socklen_t* size) noexcept {
  return result_of(::getsockopt(fd, level, option, value, size));
}
int setsockopt(int fd, int level, int option, const void* value, socklen_t size) noexcept {
  return result_of(::setsockopt(fd, level, option, value, size));
}
int getsockname(int fd, sockaddr* address, socklen_t* size) noexcept {
  return result_of(::getsockname(fd, address, size));
}
int getpeername(int fd, sockaddr* address, socklen_t* size) noexcept {
  return result_of(::getpeername(fd, address, size));
}

// Not glibc's recv() and send(): those are cancellation points, which costs 40 instructions each in a program with
// threads.
ssize_t recv(int fd, void* buffer, std::size_t size, int flags) noexcept {
  return restarting([&] { return syscall(SYS_recvfrom, fd, buffer, size, flags, nullptr, nullptr); });
}
ssize_t send(int fd, const void* buffer, std::size_t size, int flags) noexcept {
  return restarting([&] { return syscall(SYS_sendto, fd, buffer, size, flags, nullptr, 0); });
}
ssize_t recvfrom(int fd, void* buffer, std::size_t size, int flags, sockaddr* address, socklen_t* length) noexcept {
  return restarting([&] { return ::recvfrom(fd, buffer, size, flags, address, length); });
}
ssize_t sendto(int fd, const void* buffer, std::size_t size, int flags, const sockaddr* address,
               socklen_t length) noexcept {
  return restarting([&] { return ::sendto(fd, buffer, size, flags, address, length); });
}
ssize_t recvmsg(int fd, msghdr* message, int flags) noexcept {
  return restarting([&] { return ::recvmsg(fd, message, flags); });
}
ssize_t sendmsg(int fd, const msghdr* message, int flags) noexcept {
  return restarting([&] { return ::sendmsg(fd, message, flags); });
}

int lstat(const char* path, struct stat* status) noexcept { return result_of(::lstat(path, status)); }
int open(const char* path, int flags, mode_t mode) noexcept {
  return restarting([&] { return ::open(path, flags, mode); });
}
int pipe2(int* fds, int flags) noexcept { return result_of(::pipe2(fds, flags)); }
int fcntl(int fd, int command, int argument) noexcept { return result_of(::fcntl(fd, command, argument)); }
int fstat(int fd, struct stat* status) noexcept { return result_of(::fstat(fd, status)); }
int isatty(int fd) noexcept { return ::isatty(fd) == 1 ? 1 : -errno; }
// By syscall(): see recv().
ssize_t read(int fd, void* buffer, std::size_t size) noexcept {
  return restarting([&] { return syscall(SYS_read, fd, buffer, size); });
}
ssize_t write(int fd, const void* buffer, std::size_t size) noexcept {
  return restarting([&] { return syscall(SYS_write, fd, buffer, size); });
}
ssize_t readv(int fd, const iovec* parts, int count) noexcept {
  return restarting([&] { return syscall(SYS_readv, fd, parts, count); });
}
ssize_t writev(int fd, const iovec* parts, int count) noexcept {
  return restarting([&] { return syscall(SYS_writev, fd, parts, count); });
}
// Position -1: the file's own. Its two halves, low and high, are two arguments.
ssize_t pwritev2(int fd, const iovec* parts, int count, int flags) noexcept {
  return restarting([&] { return syscall(SYS_pwritev2, fd, parts, count, -1L, -1L, flags); });
}

int thread_signal_mask(int how, const sigset_t* set, sigset_t* before) noexcept {
  return -::pthread_sigmask(how, set, before);
}
int take_pending_signal(const sigset_t* set) noexcept {
  static constexpr timespec at_once{};
  return restarting([&] { return ::sigtimedwait(set, nullptr, &at_once); });
}

int sigaction(int number, const struct sigaction* action, struct sigaction* before) noexcept {
  return result_of(::sigaction(number, action, before));
}

int clone_child(int (*start)(void*), void* argument, void* stack_top, int* pidfd) noexcept {
  // The kernel's own call and mask: the C library's leaves out signals that it uses itself.
  constexpr std::uint64_t all = ~std::uint64_t{0};
  std::uint64_t before = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
  const int child =
      result_of(__clone(start, stack_top, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, argument, pidfd));
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, nullptr, sizeof before);
  return child;
}
int wait_child(int pidfd, siginfo_t* info, int options) noexcept {
  return restarting([&] { return ::waitid(P_PIDFD, static_cast<id_t>(pidfd), info, options); });
}
int pidfd_send_signal(int pidfd, int number) noexcept {
  return static_cast<int>(result_of(syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0)));
}

int epoll_create() noexcept { return result_of(::epoll_create1(EPOLL_CLOEXEC)); }
int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  return result_of(::epoll_ctl(epoll, operation, fd, event));
}
int epoll_wait(int epoll, epoll_event* events, int capacity, const timespec* timeout) noexcept {
  static seam::Atomic<bool> has_pwait2{true};
  int count = -ENOSYS;
  // relaxed: what the kernel (before 5.11), a filter, or valgrind does not know it will not learn
  if (has_pwait2.load(std::memory_order_relaxed)) {
    count = result_of(::epoll_pwait2(epoll, events, capacity, timeout, nullptr));
    if (count == -ENOSYS || count == -EPERM) has_pwait2.store(false, std::memory_order_relaxed);  // relaxed: as above
  }
  if (count == -ENOSYS || count == -EPERM) {
    count = result_of(::epoll_wait(epoll, events, capacity, milliseconds_of(timeout)));
  }
  return count == -EINTR ? 0 : count;
}

int eventfd() noexcept { return result_of(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }
int eventfd_signal(int fd) noexcept {
  return restarting([&] { return ::eventfd_write(fd, 1); });
}
int eventfd_take(int fd) noexcept {
  eventfd_t value = 0;
  return restarting([&] { return ::eventfd_read(fd, &value); });
}

int poll(pollfd* fds, std::size_t count, int timeout_ms) noexcept { return result_of(::poll(fds, count, timeout_ms)); }
int poll_now(pollfd* fds, std::size_t count) noexcept { return result_of(::poll(fds, count, 0)); }

ssize_t pread(int fd, void* buffer, std::size_t size, std::uint64_t offset) noexcept {
  return restarting([&] { return ::pread(fd, buffer, size, static_cast<off_t>(offset)); });
}
ssize_t pwrite(int fd, const void* buffer, std::size_t size, std::uint64_t offset) noexcept {
  return restarting([&] { return ::pwrite(fd, buffer, size, static_cast<off_t>(offset)); });
}
ssize_t preadv_now(int fd, const iovec* parts, std::size_t count, std::uint64_t offset) noexcept {
  return result_of(::preadv2(fd, parts, static_cast<int>(count), static_cast<off_t>(offset), RWF_NOWAIT));
}
int fsync(int fd, bool data_only) noexcept {
  return restarting([&] { return data_only ? ::fdatasync(fd) : ::fsync(fd); });
}
int ftruncate(int fd, std::uint64_t size) noexcept {
  return restarting([&] { return ::ftruncate(fd, static_cast<off_t>(size)); });
}
int fchmod(int fd, std::uint32_t mode) noexcept { return result_of(::fchmod(fd, mode)); }
int statx(int directory, const char* path, std::uint32_t flags, std::uint32_t mask, struct statx* result) noexcept {
  return result_of(::statx(directory, path, static_cast<int>(flags), mask, result));
}
int rename(const char* from, const char* to, std::uint32_t flags) noexcept {
  return result_of(::renameat2(AT_FDCWD, from, AT_FDCWD, to, flags));
}
int unlink(const char* path, std::uint32_t flags) noexcept {
  return result_of(::unlinkat(AT_FDCWD, path, static_cast<int>(flags)));
}
int mkdir(const char* path, std::uint32_t mode) noexcept { return result_of(::mkdirat(AT_FDCWD, path, mode)); }
int link(const char* existing, const char* link) noexcept {
  return result_of(::linkat(AT_FDCWD, existing, AT_FDCWD, link, 0));
}
int symlink(const char* target, const char* link) noexcept { return result_of(::symlinkat(target, AT_FDCWD, link)); }
ssize_t copy_file_range(int from, int to, std::size_t size) noexcept {
  return restarting([&] { return ::copy_file_range(from, nullptr, to, nullptr, size, 0); });
}
ssize_t getdents(int directory, void* buffer, std::size_t size) noexcept {
  return result_of(syscall(SYS_getdents64, directory, buffer, size));
}

std::uint32_t effective_user() noexcept { return ::geteuid(); }

void sleep(Duration duration) noexcept { std::this_thread::sleep_for(duration); }

}  // namespace skua::kernel
