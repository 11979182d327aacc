// The kernel seam: every system call of the runtime that is not io_uring's (reactor/ring.hpp has those).
//
// Each function is its namesake with the error in the return value: >= 0 as documented for the call, or -errno.
// Calls that a signal may interrupt are repeated. The bodies are in kernel.cpp alone, so that a test program can
// be linked with other ones that return any error, short count or delay.
#pragma once

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <ctime>

namespace skua::kernel {

int socket(int domain, int type, int protocol) noexcept;
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
ssize_t recvmsg(int fd, msghdr* message, int flags) noexcept;
ssize_t sendmsg(int fd, const msghdr* message, int flags) noexcept;

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

int open(const char* path, int flags, mode_t mode = 0) noexcept;
int pipe2(int* fds, int flags) noexcept;
int fcntl(int fd, int command, int argument = 0) noexcept;
ssize_t read(int fd, void* buffer, std::size_t size) noexcept;
ssize_t write(int fd, const void* buffer, std::size_t size) noexcept;

int eventfd() noexcept;  // non-blocking, close on exec
int eventfd_signal(int fd) noexcept;

/// As poll() that does not wait.
int poll_now(pollfd* fds, std::size_t count) noexcept;

}  // namespace skua::kernel
