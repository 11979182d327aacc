// The kernel seam: every system call of the runtime that is not io_uring's (reactor/ring.hpp has those).
//
// Each function is its namesake with the error in the return value: >= 0 as documented for the call, or -errno.
// Calls that a signal may interrupt are repeated. The bodies are in kernel.cpp alone, so that a test program can
// be linked with other ones that return any error, short count or delay.
#pragma once

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <ctime>

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
int unlink(const char* path) noexcept;

int epoll_create() noexcept;  // close on exec
int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept;
/// `timeout` null: for ever. Interrupted by a signal: 0 events.
int epoll_wait(int epoll, epoll_event* events, int capacity, const timespec* timeout) noexcept;

int eventfd() noexcept;  // non-blocking, close on exec
int eventfd_signal(int fd) noexcept;

/// As poll() that does not wait.
int poll_now(pollfd* fds, std::size_t count) noexcept;

}  // namespace skua::kernel
