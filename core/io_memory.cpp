#include <skua/core/io_memory.hpp>

#if !defined(SKUA_PROTECT_BUFFERS)

#include <skua/core/frame_allocator.hpp>

namespace skua::io_memory {

void* allocate(std::size_t size) { return frames::allocate(size); }
void release(void* block, std::size_t size) noexcept { frames::deallocate(block, size); }
bool is_protected() noexcept { return false; }

}  // namespace skua::io_memory

#else

#include <skua/core/assert.hpp>
#include <skua/core/mutex.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <span>
#include <utility>

namespace skua::io_memory {

namespace {

constexpr std::size_t alignment = alignof(std::max_align_t);
constexpr std::byte fill{0xA5};
constexpr std::size_t blocks_in_quarantine = 1024;  // address space, not memory: that is given back at once

constexpr std::size_t round_up(std::size_t size, std::size_t multiple) noexcept {
  return (size + multiple - 1) / multiple * multiple;
}

std::size_t page_size() noexcept {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

/// The pages of a block; the guard page follows them.
struct Pages {
  explicit Pages(std::size_t block_size) noexcept
      : block_room(round_up(block_size, alignment)), size(round_up(block_room, page_size())) {}

  std::byte* block() const noexcept { return begin + size - block_room; }
  std::size_t size_with_guard() const noexcept { return size + page_size(); }
  std::span<std::byte> before_block() const noexcept { return {begin, block()}; }
  std::span<std::byte> after_block(std::size_t block_size) const noexcept {
    return std::span(block(), block_room).subspan(block_size);
  }

  std::size_t block_room;
  std::size_t size;
  std::byte* begin = nullptr;
};

/// The released blocks, oldest first, as (address, size) of their pages and guard.
class Quarantine {
 public:
  void take(void* begin, std::size_t size) noexcept {
    std::pair<void*, std::size_t> oldest;
    {
      const seam::Lock lock(mutex_);
      oldest = std::exchange(regions_[next_], {begin, size});
      next_ = (next_ + 1) % regions_.size();
    }
    if (oldest.first != nullptr) ::munmap(oldest.first, oldest.second);
  }

 private:
  seam::Mutex mutex_;
  std::array<std::pair<void*, std::size_t>, blocks_in_quarantine> regions_ SKUA_GUARDED_BY(mutex_){};
  std::size_t next_ SKUA_GUARDED_BY(mutex_) = 0;
};
constinit Quarantine quarantine;

bool is_intact(std::span<const std::byte> filled) noexcept {
  return std::ranges::all_of(filled, [](std::byte byte) { return byte == fill; });
}

}  // namespace

void* allocate(std::size_t size) {
  Pages pages(size);
  void* const begin = ::mmap(nullptr, pages.size_with_guard(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (begin == MAP_FAILED) throw std::bad_alloc();
  if (::mprotect(begin, pages.size, PROT_READ | PROT_WRITE) != 0) {
    ::munmap(begin, pages.size_with_guard());
    throw std::bad_alloc();
  }
  pages.begin = static_cast<std::byte*>(begin);
  std::ranges::fill(pages.before_block(), fill);
  std::ranges::fill(pages.after_block(size), fill);
  return pages.block();
}

void release(void* block, std::size_t size) noexcept {
  Pages pages(size);
  pages.begin = static_cast<std::byte*>(block) + pages.block_room - pages.size;
  if (!is_intact(pages.before_block()) || !is_intact(pages.after_block(size))) {
    fail_fast("bytes beside a buffer in flight were overwritten", "This is a bug in Skua, please report it");
  }
  // Memory goes back to the system, the addresses stay taken.
  if (::mprotect(pages.begin, pages.size, PROT_NONE) != 0) {
    fail_fast("a released buffer cannot be protected (mprotect)", "Raise vm.max_map_count");
  }
  ::madvise(pages.begin, pages.size, MADV_DONTNEED);
  quarantine.take(pages.begin, pages.size_with_guard());
}

bool is_protected() noexcept { return true; }

}  // namespace skua::io_memory

#endif
