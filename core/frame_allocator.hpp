// Memory for coroutine frames and task cells: a free list per thread and size class, no lock, no atomic.
//
// A block freed by another thread than allocated it simply joins that thread's list; lists are bounded, what
// exceeds the bound goes back to malloc. Under address sanitizer every block is malloc's own, so that a use
// after free is seen.
//
// Every frame of a Task has a prefix in front of it (see chain.hpp): room for the header that turns a spawned
// coroutine into a task of the scheduler without a second allocation, and for the state of its chain.
#pragma once

#include <coroutine>
#include <cstddef>

namespace skua::frames {

/// At least `size` bytes, aligned as by malloc. Throws std::bad_alloc.
void* allocate(std::size_t size);
/// `size` as it was given to allocate(). Any thread.
void deallocate(void* block, std::size_t size) noexcept;

/// What `block` takes of the heap, at least the size it was allocated with. Any thread, while it is allocated.
std::size_t size_of(void* block) noexcept;

/// Bytes in front of each frame of a Task that belong to the scheduler. They are uninitialised until it uses them.
inline constexpr std::size_t scheduler_room = 80;
/// Bytes in front of each frame of a Task in all.
inline constexpr std::size_t prefix_size = scheduler_room + 32;

/// A frame of `size` bytes with its prefix before it. Used by the promise's operator new and delete.
void* allocate_frame(std::size_t size);
void deallocate_frame(void* frame, std::size_t size) noexcept;

/// Destroys the coroutine but keeps its memory, prefix included: it now belongs to the caller, who returns
/// it by deallocate_frame(handle.address(), <the size returned>).
[[nodiscard]] std::size_t destroy_keeping_memory(std::coroutine_handle<> handle) noexcept;

}  // namespace skua::frames
