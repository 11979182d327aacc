// Writing to what nobody reads any more, without SIGPIPE: an error, never the death of the program.
//
// The process's disposition of SIGPIPE stays as it is: it belongs to the program, and its children inherit it. Sockets
// have MSG_NOSIGNAL. For pipes:
//  - On a thread of the runtime all signals are blocked (core/thread.hpp): that of a failed write becomes pending and
//  is
//    taken back. A write that succeeds costs nothing more.
//  - On any other thread (in block_on()) the kernel is told not to send it: RWF_NOSIGNAL, since Linux 6.18. Before, the
//    signal is blocked around the write: two system calls more. (Measured, 64 bytes through a pipe: write and read 530
//    ns; with the flag, 580; with the signal blocked, 820.)
// The signal is the thread's own, and pending signals of a thread are taken before those of the process: a SIGPIPE that
// somebody sent to the process is not swallowed.
#pragma once

#include <skua/io/buffer.hpp>

#include <sys/types.h>
#include <sys/uio.h>

#include <span>

namespace skua {

/// As kernel::write() and kernel::writev(), but -EPIPE comes without the signal. For pipes, FIFOs and sockets. Any
/// thread.
ssize_t write_without_sigpipe(int fd, ConstBuffer bytes) noexcept;
ssize_t write_without_sigpipe(int fd, std::span<const iovec> parts) noexcept;

}  // namespace skua
