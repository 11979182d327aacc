// AsyncFd: any descriptor that can be polled: inotify, timerfd, terminals, devices, sockets of C libraries.
//
//   AsyncFd events = co_await try_(AsyncFd::adopt(OwnedFd(inotify_init1(IN_CLOEXEC))));
//   std::size_t n = co_await try_(events.read(buffer));
//
//   auto fetch = [&](int fd) { return receive_report(fd, report); };   // any call that returns -errno, or a Result
//   co_await try_(fd.read_with(fetch));
//
// For libraries that do their own I/O there are readable() and writable(), which are ready with a ReadyGuard: the
// library's turn. Readiness is remembered (edges): until a call has found that it would block, it counts as ready. So
// either let guard.try_io() make the call, or call the library and then guard.recheck().
//
// Whose descriptor: adopt() takes it over, makes it non-blocking, and closes it. borrow() watches a descriptor that
// somebody else owns, through a duplicate of its own: the owner may close his at any time, and no event of it reaches
// whoever gets its number next; but the file stays open until the AsyncFd is gone too. A descriptor may be borrowed any
// number of times; each AsyncFd is told all events.
//
// Ended or broken descriptors are ready, once and for all, and cost nothing while nobody uses them: the call says what
// has happened.
//
// Thread safety: any thread, any number of tasks in each direction: an event wakes all who wait for it, and those who
// come too late wait on. An AsyncFd may be moved while operations are pending, and must outlive them.
#pragma once

#include <skua/io/fd_calls.hpp>
#include <skua/io/io_operation.hpp>
#include <skua/io/owned_fd.hpp>
#include <skua/io/ready_guard.hpp>
#include <skua/io/user_call.hpp>

#include <type_traits>
#include <utility>

namespace skua {

class AsyncFd {
 public:
  /// Takes over `fd` and sets O_NONBLOCK on it (on its open file description: who shares that sees it too; borrow()
  /// does not touch it). Errors: operation_not_permitted for regular files, directories and devices that cannot be
  /// polled: see unblock() and fs/; bad_file_descriptor. On an error `fd` is closed.
  static Result<AsyncFd> adopt(OwnedFd fd);
  /// Watches a descriptor that somebody else owns. Errors: as adopt(); invalid_argument if it blocks: its owner must
  /// set O_NONBLOCK; too_many_files_open.
  static Result<AsyncFd> borrow(int fd);

  /// The descriptor: the one adopted, or the duplicate of the one borrowed.
  int native_handle() const noexcept { return source_->fd(); }

  /// Ready when a call is worth a try, or the runtime has been shut down (operation_canceled). Cancel safety: nothing
  /// is lost; events are remembered by the AsyncFd, not by those who wait.
  ReadyFuture readable() noexcept { return ReadyFuture(*source_, reactor::Direction::read); }
  ReadyFuture writable() noexcept { return ReadyFuture(*source_, reactor::Direction::write); }
  /// Ready at urgent data (POLLPRI: TCP out-of-band data, a pressure-stall trigger, a change of /proc/self/mountinfo),
  /// an error (POLLERR) or a hang-up.
  ReadyFuture exceptional() noexcept { return ReadyFuture(*source_, reactor::Direction::exceptional); }

  /// Calls `call` with the descriptor until it does not block, whenever the direction is ready. It returns a number
  /// (-errno on failure; ready with Result<std::size_t>), or a Result, which becomes the output; EAGAIN means "would
  /// block". It may be called any number of times, and must not block.
  /// Cancel safety: that of the call; between its tries nothing is pending.
  template <class F>
    requires std::invocable<std::decay_t<F>&, int>
  auto read_with(F&& call) {
    return with<reactor::Direction::read>(std::forward<F>(call));
  }
  template <class F>
    requires std::invocable<std::decay_t<F>&, int>
  auto write_with(F&& call) {
    return with<reactor::Direction::write>(std::forward<F>(call));
  }

  /// read(), readv(): ready with how many bytes came; 0 at the end, or for no room. Cancel safety: no bytes are lost.
  IoOperation<FdReadCall> read(MutableBuffer buffer) noexcept { return {*source_, FdReadCall(buffer)}; }
  IoOperation<FdVectoredReadCall> read_vectored(std::span<const iovec> parts) noexcept {
    return {*source_, FdVectoredReadCall(parts)};
  }
  /// write(), writev(): ready with how many bytes were taken. broken_pipe comes without SIGPIPE. Cancel safety: nothing
  /// has been written.
  IoOperation<FdWriteCall> write(ConstBuffer buffer) noexcept { return {*source_, FdWriteCall(buffer, sigpipe_)}; }
  IoOperation<FdVectoredWriteCall> write_vectored(std::span<const iovec> parts) noexcept {
    return {*source_, FdVectoredWriteCall(parts, sigpipe_)};
  }
  /// Ready when all is taken. Not cancel safe: an unknown part has been written.
  IoOperation<FdWriteAllCall> write_all(ConstBuffer buffer) noexcept {
    return {*source_, FdWriteAllCall(buffer, sigpipe_)};
  }

  /// Gives the descriptor back, watched no more and still non-blocking. Requires that no operation is pending.
  OwnedFd into_inner() &&;

 private:
  AsyncFd(OwnedFd fd, RaisesSigpipe sigpipe) : source_(make_ref<reactor::IoSource>(fd.release())), sigpipe_(sigpipe) {}
  template <reactor::Direction direction, class F>
  auto with(F&& call) {
    using Call = UserCall<direction, std::decay_t<F>>;
    return IoOperation<Call>(*source_, Call(std::forward<F>(call)));
  }

  Ref<reactor::IoSource> source_;
  RaisesSigpipe sigpipe_;
};

}  // namespace skua
