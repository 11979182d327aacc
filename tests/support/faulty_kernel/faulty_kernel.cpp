// The kernel seam's functions, each of which asks the plan and then calls the real one.
#include "announce.hpp"
#include "fault_plan.hpp"
#include "interruption.hpp"
#include "real_kernel.hpp"

#include <skua/core/kernel.hpp>
#include <skua/core/mutex.hpp>

#include <algorithm>
#include <cerrno>
#include <map>
#include <thread>
#include <vector>

namespace skua::kernel {

namespace {

using tests::Call;
using tests::Fault;
using tests::FaultPlan;
using tests::Interruption;
using tests::Kinds;

constexpr int no_fd = -1;
constexpr Kinds of_any_call(Fault::Kind::error, Fault::Kind::delay);
constexpr Kinds of_a_wait(Fault::Kind::error, Fault::Kind::delay, Fault::Kind::zero);
constexpr Kinds of_a_transfer(Fault::Kind::error, Fault::Kind::delay, Fault::Kind::zero, Fault::Kind::short_count,
                              Fault::Kind::all_but);

// The call repeats itself and we get its result; or it does not, has been made once, and says that it was interrupted.
template <class Real>
auto interrupted(Real real) noexcept -> decltype(real()) {
  const Interruption interruption;
  const auto result = real();
  return interruption.has_struck() ? result : -EINTR;
}

template <class Real>
auto suffer(const Fault& fault, Real real) noexcept -> decltype(real()) {
  if (fault.kind == Fault::Kind::error) return fault.error == EINTR ? interrupted(real) : -fault.error;
  if (fault.kind == Fault::Kind::delay) std::this_thread::sleep_for(fault.delay);
  return real();
}

template <class Real>
auto faulty(Call call, int fd, Real real) noexcept -> decltype(real()) {
  return suffer(FaultPlan::consult(call, fd, of_any_call), real);
}

// `real` is given how many bytes it may transfer.
template <class Real>
ssize_t faulty_transfer(Call call, int fd, std::size_t size, Real real) noexcept {
  const Fault fault = FaultPlan::consult(call, fd, of_a_transfer);
  if (fault.kind == Fault::Kind::zero) return 0;
  if (fault.kind == Fault::Kind::short_count) size = std::min(size, fault.count);
  if (fault.kind == Fault::Kind::all_but)
    size = size > fault.count ? size - fault.count : std::min<std::size_t>(size, 1);
  return suffer(fault, [&] { return static_cast<ssize_t>(real(size)); });
}

std::size_t size_of(const iovec* parts, std::size_t count) noexcept {
  std::size_t size = 0;
  for (std::size_t i = 0; i < count; ++i) size += parts[i].iov_len;
  return size;
}

// The first `size` bytes of `parts`.
std::vector<iovec> first_bytes(const iovec* parts, std::size_t count, std::size_t size) {
  std::vector<iovec> first;
  for (std::size_t i = 0; i < count && size != 0; ++i) {
    first.push_back({parts[i].iov_base, std::min(parts[i].iov_len, size)});
    size -= first.back().iov_len;
  }
  return first;
}

// `real` is given the parts that it may transfer.
template <class Real>
ssize_t faulty_parts(Call call, int fd, const iovec* parts, int count, Real real) noexcept {
  const auto parts_given = static_cast<std::size_t>(count);
  return faulty_transfer(call, fd, size_of(parts, parts_given), [&](std::size_t size) {
    const std::vector<iovec> first = first_bytes(parts, parts_given, size);
    return real(first.data(), static_cast<int>(first.size()));
  });
}

template <class Message, class Real>
ssize_t faulty_message(Call call, int fd, Message& message, Real real) noexcept {
  return faulty_transfer(call, fd, size_of(message.msg_iov, message.msg_iovlen), [&](std::size_t size) {
    std::vector<iovec> parts = first_bytes(message.msg_iov, message.msg_iovlen, size);
    msghdr shorter = message;
    shorter.msg_iov = parts.data();
    shorter.msg_iovlen = parts.size();
    const ssize_t result = real(shorter);
    if constexpr (!std::is_const_v<Message>) {  // what the kernel fills in
      message.msg_namelen = shorter.msg_namelen;
      message.msg_controllen = shorter.msg_controllen;
      message.msg_flags = shorter.msg_flags;
    }
    return result;
  });
}

// What epoll watches, for announce_to_epoll().
struct Watch {
  Watch() = default;
  Watch(int by, const epoll_event& what) noexcept : epoll(by), event(what) {}
  int epoll = -1;
  epoll_event event{};
};
seam::Mutex watches_mutex;
std::map<int, Watch> watches SKUA_GUARDED_BY(watches_mutex);

}  // namespace

// CALL(name, fd)(arguments): the namesake.
#define CALL(name, fd) \
  [&](auto... arguments) noexcept { return faulty(Call::name, fd, [&] { return real_kernel::name(arguments...); }); }

// --- sockets

int socket(int domain, int type, int protocol) noexcept { return CALL(socket, no_fd)(domain, type, protocol); }
int socketpair(int domain, int type, int protocol, int* fds) noexcept {
  return CALL(socketpair, no_fd)(domain, type, protocol, fds);
}
int bind(int fd, const sockaddr* address, socklen_t size) noexcept { return CALL(bind, fd)(fd, address, size); }
int listen(int fd, int backlog) noexcept { return CALL(listen, fd)(fd, backlog); }
int accept4(int fd, sockaddr* address, socklen_t* size, int flags) noexcept {
  return CALL(accept4, fd)(fd, address, size, flags);
}
int connect(int fd, const sockaddr* address, socklen_t size) noexcept { return CALL(connect, fd)(fd, address, size); }
int shutdown(int fd, int how) noexcept { return CALL(shutdown, fd)(fd, how); }
int getsockopt(int fd, int level, int option, void* value, socklen_t* size) noexcept {
  return CALL(getsockopt, fd)(fd, level, option, value, size);
}
int setsockopt(int fd, int level, int option, const void* value, socklen_t size) noexcept {
  return CALL(setsockopt, fd)(fd, level, option, value, size);
}
int getsockname(int fd, sockaddr* address, socklen_t* size) noexcept {
  return CALL(getsockname, fd)(fd, address, size);
}
int getpeername(int fd, sockaddr* address, socklen_t* size) noexcept {
  return CALL(getpeername, fd)(fd, address, size);
}
ssize_t recv(int fd, void* buffer, std::size_t size, int flags) noexcept {
  return faulty_transfer(Call::recv, fd, size, [&](std::size_t n) { return real_kernel::recv(fd, buffer, n, flags); });
}
ssize_t send(int fd, const void* buffer, std::size_t size, int flags) noexcept {
  return faulty_transfer(Call::send, fd, size, [&](std::size_t n) { return real_kernel::send(fd, buffer, n, flags); });
}
ssize_t recvfrom(int fd, void* buffer, std::size_t size, int flags, sockaddr* address, socklen_t* length) noexcept {
  return faulty_transfer(Call::recvfrom, fd, size,
                         [&](std::size_t n) { return real_kernel::recvfrom(fd, buffer, n, flags, address, length); });
}
ssize_t sendto(int fd, const void* buffer, std::size_t size, int flags, const sockaddr* address,
               socklen_t length) noexcept {
  return faulty_transfer(Call::sendto, fd, size,
                         [&](std::size_t n) { return real_kernel::sendto(fd, buffer, n, flags, address, length); });
}
ssize_t recvmsg(int fd, msghdr* message, int flags) noexcept {
  return faulty_message(Call::recvmsg, fd, *message, [&](msghdr& m) { return real_kernel::recvmsg(fd, &m, flags); });
}
ssize_t sendmsg(int fd, const msghdr* message, int flags) noexcept {
  return faulty_message(Call::sendmsg, fd, *message, [&](msghdr& m) { return real_kernel::sendmsg(fd, &m, flags); });
}

// --- descriptors

// Whatever it says, the descriptor is gone: Linux frees it first and may then report an error of the file.
int close(int fd) noexcept {
  const Fault fault = FaultPlan::consult(Call::close, fd, of_any_call);
  {
    const seam::Lock lock(watches_mutex);
    watches.erase(fd);
  }
  const int result = real_kernel::close(fd);
  return suffer(fault, [result] { return result; });
}
int pipe2(int* fds, int flags) noexcept { return CALL(pipe2, no_fd)(fds, flags); }
int fcntl(int fd, int command, int argument) noexcept { return CALL(fcntl, fd)(fd, command, argument); }
int fstat(int fd, struct stat* status) noexcept { return CALL(fstat, fd)(fd, status); }
int isatty(int fd) noexcept { return CALL(isatty, fd)(fd); }
ssize_t read(int fd, void* buffer, std::size_t size) noexcept {
  return faulty_transfer(Call::read, fd, size, [&](std::size_t n) { return real_kernel::read(fd, buffer, n); });
}
ssize_t write(int fd, const void* buffer, std::size_t size) noexcept {
  return faulty_transfer(Call::write, fd, size, [&](std::size_t n) { return real_kernel::write(fd, buffer, n); });
}
ssize_t readv(int fd, const iovec* parts, int count) noexcept {
  return faulty_parts(Call::readv, fd, parts, count,
                      [&](const iovec* first, int n) { return real_kernel::readv(fd, first, n); });
}
ssize_t writev(int fd, const iovec* parts, int count) noexcept {
  return faulty_parts(Call::writev, fd, parts, count,
                      [&](const iovec* first, int n) { return real_kernel::writev(fd, first, n); });
}
ssize_t pwritev2(int fd, const iovec* parts, int count, int flags) noexcept {
  return faulty_parts(Call::pwritev2, fd, parts, count,
                      [&](const iovec* first, int n) { return real_kernel::pwritev2(fd, first, n, flags); });
}

// --- signals

int thread_signal_mask(int how, const sigset_t* set, sigset_t* before) noexcept {
  return CALL(thread_signal_mask, no_fd)(how, set, before);
}
int take_pending_signal(const sigset_t* set) noexcept { return CALL(take_pending_signal, no_fd)(set); }
// A signal handler may call it, and must not ask the plan, which has a lock.
int sigaction(int number, const struct sigaction* action, struct sigaction* before) noexcept {
  return real_kernel::sigaction(number, action, before);
}

// --- processes

int clone_child(int (*start)(void*), void* argument, void* stack_top, int* pidfd) noexcept {
  return CALL(clone_child, no_fd)(start, argument, stack_top, pidfd);
}
int wait_child(int pidfd, siginfo_t* info, int options) noexcept {
  return CALL(wait_child, pidfd)(pidfd, info, options);
}
int pidfd_send_signal(int pidfd, int number) noexcept { return CALL(pidfd_send_signal, pidfd)(pidfd, number); }

// --- waiting

int epoll_create() noexcept { return CALL(epoll_create, no_fd)(); }
int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  const int result = CALL(epoll_ctl, fd)(epoll, operation, fd, event);
  const seam::Lock lock(watches_mutex);
  if (result == 0 && operation == EPOLL_CTL_ADD) watches[fd] = Watch(epoll, *event);
  if (operation == EPOLL_CTL_DEL) watches.erase(fd);
  return result;
}
// Interrupted it returns no events, and must not have fetched any.
int epoll_wait(int epoll, epoll_event* events, int capacity, const timespec* timeout) noexcept {
  const Fault fault = FaultPlan::consult(Call::epoll_wait, epoll, of_a_wait);
  if (fault.kind == Fault::Kind::zero || fault.error == EINTR) return 0;
  return suffer(fault, [&] { return real_kernel::epoll_wait(epoll, events, capacity, timeout); });
}
int eventfd() noexcept { return CALL(eventfd, no_fd)(); }
int eventfd_signal(int fd) noexcept { return CALL(eventfd_signal, fd)(fd); }
int eventfd_take(int fd) noexcept { return CALL(eventfd_take, fd)(fd); }
int poll(pollfd* fds, std::size_t count, int timeout_ms) noexcept { return CALL(poll, no_fd)(fds, count, timeout_ms); }
int poll_now(pollfd* fds, std::size_t count) noexcept { return CALL(poll_now, no_fd)(fds, count); }
// Cannot fail.
std::uint32_t effective_user() noexcept { return real_kernel::effective_user(); }

void sleep(Duration duration) noexcept { real_kernel::sleep(duration); }

// --- files

int lstat(const char* path, struct stat* status) noexcept { return CALL(lstat, no_fd)(path, status); }
int open(const char* path, int flags, mode_t mode) noexcept { return CALL(open, no_fd)(path, flags, mode); }
ssize_t pread(int fd, void* buffer, std::size_t size, std::uint64_t offset) noexcept {
  return faulty_transfer(Call::pread, fd, size,
                         [&](std::size_t n) { return real_kernel::pread(fd, buffer, n, offset); });
}
ssize_t pwrite(int fd, const void* buffer, std::size_t size, std::uint64_t offset) noexcept {
  return faulty_transfer(Call::pwrite, fd, size,
                         [&](std::size_t n) { return real_kernel::pwrite(fd, buffer, n, offset); });
}
ssize_t preadv_now(int fd, const iovec* parts, std::size_t count, std::uint64_t offset) noexcept {
  return faulty_parts(Call::preadv_now, fd, parts, static_cast<int>(count), [&](const iovec* first, int n) {
    return real_kernel::preadv_now(fd, first, static_cast<std::size_t>(n), offset);
  });
}
int fsync(int fd, bool data_only) noexcept { return CALL(fsync, fd)(fd, data_only); }
int ftruncate(int fd, std::uint64_t size) noexcept { return CALL(ftruncate, fd)(fd, size); }
int fchmod(int fd, std::uint32_t mode) noexcept { return CALL(fchmod, fd)(fd, mode); }
int statx(int directory, const char* path, std::uint32_t flags, std::uint32_t mask, struct statx* result) noexcept {
  return CALL(statx, directory)(directory, path, flags, mask, result);
}
int rename(const char* from, const char* to, std::uint32_t flags) noexcept {
  return CALL(rename, no_fd)(from, to, flags);
}
int unlink(const char* path, std::uint32_t flags) noexcept { return CALL(unlink, no_fd)(path, flags); }
int mkdir(const char* path, std::uint32_t mode) noexcept { return CALL(mkdir, no_fd)(path, mode); }
int link(const char* existing, const char* link) noexcept { return CALL(link, no_fd)(existing, link); }
int symlink(const char* target, const char* link) noexcept { return CALL(symlink, no_fd)(target, link); }
ssize_t copy_file_range(int from, int to, std::size_t size) noexcept {
  return faulty_transfer(Call::copy_file_range, from, size,
                         [&](std::size_t n) { return real_kernel::copy_file_range(from, to, n); });
}
ssize_t getdents(int directory, void* buffer, std::size_t size) noexcept {
  return CALL(getdents, directory)(directory, buffer, size);  // a shorter buffer holds whole entries or none
}

}  // namespace skua::kernel

// Setting what is set already makes epoll look, and report what it sees as a new event.
void skua::tests::announce_to_epoll(int fd) {
  using namespace kernel;
  const seam::Lock lock(watches_mutex);
  if (const auto found = watches.find(fd); found != watches.end()) {
    real_kernel::epoll_ctl(found->second.epoll, EPOLL_CTL_MOD, fd, &found->second.event);
  }
}
