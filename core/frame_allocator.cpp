#include <skua/core/assert.hpp>
#include <skua/core/frame_allocator.hpp>

#include <malloc.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define SKUA_FRAMES_FROM_MALLOC 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SKUA_FRAMES_FROM_MALLOC 1
#endif
#endif
#if !defined(SKUA_FRAMES_FROM_MALLOC)
#define SKUA_FRAMES_FROM_MALLOC 0
#endif

namespace skua::frames {

namespace {

constexpr std::size_t class_bytes = 64;
constexpr std::size_t classes = 32;             // blocks up to 2 KiB are pooled
constexpr std::uint32_t bytes_kept = 1u << 18;  // per class and thread

struct Block {
  Block* next;
};

// Trivial to construct and to destroy, so that access is one address computation and needs no guard;
// `Drain` empties it when the thread ends.
struct ThreadPool {
  std::array<Block*, classes> free;
  std::array<std::uint32_t, classes> count;
  void* kept_frame;       // frame that destroy_keeping_memory() is destroying
  std::size_t kept_size;  // and its size, told by deallocate_frame()
  bool closed;            // the thread is ending: nothing may be pooled any more
};
constinit thread_local ThreadPool pool{};

struct Drain {
  bool armed = false;
  ~Drain() {
    pool.closed = true;
    for (Block*& list : pool.free) {
      while (list != nullptr) std::free(std::exchange(list, list->next));
    }
  }
};
thread_local Drain drain;

constexpr std::size_t class_of(std::size_t size) noexcept { return (size + class_bytes - 1) / class_bytes; }

void* from_malloc(std::size_t size) {
  if (void* block = std::malloc(size)) return block;
  throw std::bad_alloc();
}

}  // namespace

void* allocate(std::size_t size) {
  const std::size_t index = class_of(size);
  if (SKUA_FRAMES_FROM_MALLOC || index >= classes) return from_malloc(size);
  if (Block* block = pool.free[index]) {
    pool.free[index] = block->next;
    --pool.count[index];
    return block;
  }
  return from_malloc(index * class_bytes);
}

void deallocate(void* block, std::size_t size) noexcept {
  const std::size_t index = class_of(size);
  if (SKUA_FRAMES_FROM_MALLOC || index >= classes || pool.closed ||
      pool.count[index] * index * class_bytes >= bytes_kept) {
    std::free(block);
    return;
  }
  if (pool.count[index]++ == 0) drain.armed = true;  // constructs `drain`, so that its destructor will run
  pool.free[index] = ::new (block) Block{pool.free[index]};
}

// The allocator in use knows: malloc's own, a sanitizer's, or one that was preloaded.
std::size_t size_of(void* block) noexcept { return malloc_usable_size(block); }

void* allocate_frame(std::size_t size) { return static_cast<std::byte*>(allocate(size + prefix_size)) + prefix_size; }

void deallocate_frame(void* frame, std::size_t size) noexcept {
  if (frame == pool.kept_frame) {
    pool.kept_frame = nullptr;
    pool.kept_size = size;
    return;
  }
  deallocate(static_cast<std::byte*>(frame) - prefix_size, size + prefix_size);
}

std::size_t destroy_keeping_memory(std::coroutine_handle<> handle) noexcept {
  // Destructors of the frame may themselves get here for another frame.
  void* outer = std::exchange(pool.kept_frame, handle.address());
  handle.destroy();
  // A nested call has reset the mark only if ours was consumed last; deallocation of our frame is the last
  // thing destroy() does, so the size told last is ours.
  SKUA_ASSERT(pool.kept_frame == nullptr);
  pool.kept_frame = outer;
  return pool.kept_size;
}

}  // namespace skua::frames
