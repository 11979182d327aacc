// Memory that the kernel may write to while no call of ours is running: what operations in flight lend it.
//
// io_uring writes into a buffer long after the call that named it has returned. If the buffer has been given back
// meanwhile, the bytes land in whatever lives there now, and no sanitizer sees it: the kernel's stores are not
// instrumented. So such memory comes from here, and a build with SKUA_PROTECT_BUFFERS makes the mistake visible:
//
//   | fill, checked at release | block, fill to a multiple of 16 | guard page: no access |
//
// A block ends where its pages end, and a released one loses all access and is kept in quarantine, so that its address
// belongs to nobody. What comes late fails: the kernel's write with EFAULT (in the completion), ours with SIGSEGV. (Not
// what the kernel writes through pages that it has pinned: registered buffers and O_DIRECT.)
//
// Without that definition it is the allocator of the coroutine frames.
//
// For bytes alone: leak sanitizer does not look for pointers in here.
#pragma once

#include <cstddef>

namespace skua::io_memory {

/// `size` bytes, aligned as by malloc, not initialised. Any thread. Throws std::bad_alloc.
[[nodiscard]] void* allocate(std::size_t size);
/// Requires that the kernel is done with the block: that the last completion of its operation has been seen. `size` as
/// it was given to allocate(). Any thread.
void release(void* block, std::size_t size) noexcept;

/// Built with SKUA_PROTECT_BUFFERS: a completion with EFAULT tells of a block that was released too early.
[[nodiscard]] bool is_protected() noexcept;

}  // namespace skua::io_memory
