// IoBuffer: a block that an operation lends to the kernel, given back when the operation is destroyed.
#pragma once

#include <skua/core/io_memory.hpp>

#include <sys/uio.h>

#include <cstddef>
#include <span>

namespace skua::fs {

class IoBuffer {
 public:
  explicit IoBuffer(std::size_t size) : block_(static_cast<std::byte*>(io_memory::allocate(size))), size_(size) {}
  ~IoBuffer() { io_memory::release(block_, size_); }
  IoBuffer(const IoBuffer&) = delete;
  IoBuffer& operator=(const IoBuffer&) = delete;

  std::byte* data() const noexcept { return block_; }
  std::size_t size() const noexcept { return size_; }

  /// From `parts`, as much as there is room for.
  void gather(std::span<const iovec> parts) noexcept;
  /// The first `count` bytes to `parts`, which have room for them.
  void scatter(std::span<const iovec> parts, std::size_t count) const noexcept;

 private:
  std::byte* const block_;
  const std::size_t size_;
};

}  // namespace skua::fs
