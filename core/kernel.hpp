// The kernel seam: every system call of the runtime that is not io_uring's (reactor/ring.hpp has those).
//
// Each function is its namesake with the error in the return value: >= 0 as documented for the call, or -errno.
// Calls that a signal may interrupt are repeated. The bodies are in kernel.cpp alone, so that a test program can
// be linked with other ones that return any error, short count or delay.
#pragma once

#include <skua/core/clock.hpp>

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <ctime>

struct statx;

namespace skua::kernel {

int socket(int domain, int type, int protocol) noexcept;
int socketpair(int domain, int type, int protocol, int* fds) noexcept;
int bind(int fd, const sockaddr* address, socklen_t size) noexcept;
int listen(int fd, int backlog) noexcept;
int accept4(int fd, sockaddr* address, socklen_t* size, int flags) noexcept;
int connect(int fd, const sockaddr* address, socklen_t size) noexcept;
int shutdown(int fd, int how) noexcept;
int close(int fd) noexcept;
int getsockopt(int fd, int level, int option, void* value, socklen_t* size) noexcept;
int setsockopt(int fd, int level, int option, const void* value, socklen_t size) noexcept;
int getsockname(int fd, sockaddr* address, socklen_t* size) noexcept;
int getpeername(int fd, sockaddr* address, socklen_t* size) noexcept;

ssize_t recv(int fd, void* buffer, std::size_t size, int flags) noexcept;
ssize_t send(int fd, const void* buffer, std::size_t size, int flags) noexcept;
ssize_t recvfrom(int fd, void* buffer, std::size_t size, int flags, sockaddr* address, socklen_t* length) noexcept;
ssize_t sendto(int fd, const void* buffer, std::size_t size, int flags, const sockaddr* address,
               socklen_t length) noexcept;
ssize_t recvmsg(int fd, msghdr* message, int flags) noexcept;
ssize_t sendmsg(int fd, const msghdr* message, int flags) noexcept;

int lstat(const char* path, struct stat* status) noexcept;
int open(const char* path, int flags, mode_t mode = 0) noexcept;
int pipe2(int* fds, int flags) noexcept;
int fcntl(int fd, int command, int argument = 0) noexcept;
int fstat(int fd, struct stat* status) noexcept;
int isatty(int fd) noexcept;  // 1, or -errno
ssize_t read(int fd, void* buffer, std::size_t size) noexcept;
ssize_t write(int fd, const void* buffer, std::size_t size) noexcept;
ssize_t readv(int fd, const iovec* parts, int count) noexcept;
ssize_t writev(int fd, const iovec* parts, int count) noexcept;
/// As writev(), with `flags` (RWF_...).
ssize_t pwritev2(int fd, const iovec* parts, int count, int flags) noexcept;

/// The mask of the calling thread.
int thread_signal_mask(int how, const sigset_t* set, sigset_t* before) noexcept;
/// As sigtimedwait() that does not wait: the signal it took from those pending, or -EAGAIN.
int take_pending_signal(const sigset_t* set) noexcept;

/// Safe to be called by a signal handler.
int sigaction(int number, const struct sigaction* action, struct sigaction* before) noexcept;

/// Starts a child process that runs `start(argument)` on the stack that ends at `stack_top`, in this process's memory,
/// with all signals blocked. Returns its id, and its pidfd (close on exec), when it has executed a program or ended:
/// the calling thread sleeps meanwhile, the others run on. `start` may do what is allowed after vfork().
int clone_child(int (*start)(void*), void* argument, void* stack_top, int* pidfd) noexcept;
/// As waitid() with P_PIDFD.
int wait_child(int pidfd, siginfo_t* info, int options) noexcept;
int pidfd_send_signal(int pidfd, int number) noexcept;

int epoll_create() noexcept;  // close on exec
int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept;
/// `timeout` null: for ever. Interrupted by a signal: 0 events.
int epoll_wait(int epoll, epoll_event* events, int capacity, const timespec* timeout) noexcept;

int eventfd() noexcept;  // non-blocking, close on exec
int eventfd_signal(int fd) noexcept;
int eventfd_take(int fd) noexcept;  // makes it unreadable; -EAGAIN: it was

/// For `timeout_ms` at most; -1: for ever. -EINTR is reported.
int poll(pollfd* fds, std::size_t count, int timeout_ms) noexcept;
/// As poll() that does not wait.
int poll_now(pollfd* fds, std::size_t count) noexcept;

// Files; paths are relative to the current directory, zero ends them
ssize_t pread(int fd, void* buffer, std::size_t size, std::uint64_t offset) noexcept;
ssize_t pwrite(int fd, const void* buffer, std::size_t size, std::uint64_t offset) noexcept;
/// What can be read without waiting (RWF_NOWAIT): -EAGAIN if nothing can.
ssize_t preadv_now(int fd, const iovec* parts, std::size_t count, std::uint64_t offset) noexcept;
int fsync(int fd, bool data_only) noexcept;
int ftruncate(int fd, std::uint64_t size) noexcept;
int fchmod(int fd, std::uint32_t mode) noexcept;
/// A null `path` is not allowed: "" with AT_EMPTY_PATH.
int statx(int directory, const char* path, std::uint32_t flags, std::uint32_t mask, struct statx* result) noexcept;
int rename(const char* from, const char* to, std::uint32_t flags) noexcept;
int unlink(const char* path, std::uint32_t flags = 0) noexcept;
int mkdir(const char* path, std::uint32_t mode) noexcept;
int link(const char* existing, const char* link) noexcept;
int symlink(const char* target, const char* link) noexcept;
ssize_t copy_file_range(int from, int to, std::size_t size) noexcept;  // at the positions of both
ssize_t getdents(int directory, void* buffer, std::size_t size) noexcept;

std::uint32_t effective_user() noexcept;

void sleep(Duration duration) noexcept;

}  // namespace skua::kernel
