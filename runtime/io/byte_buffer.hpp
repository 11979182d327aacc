// ByteBuffer: bytes that have come and are not used up yet, in one piece: behind every reader and writer that buffers.
//
// Bytes are added at the end and consumed at the front. They move in prepare() and append() alone: a view of bytes()
// stays valid until then. Memory grows by doubling; an empty buffer that has become large gives it back when it is used
// again. Nothing here has a limit: who fills it has one.
#pragma once

#include <skua/io/buffer.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace skua {

class ByteBuffer {
 public:
  ByteBuffer() = default;
  ByteBuffer(ByteBuffer&& other) noexcept { swap(other); }
  ByteBuffer& operator=(ByteBuffer&& other) noexcept {
    swap(other);
    return *this;
  }

  std::size_t size() const noexcept { return end_ - begin_; }
  bool empty() const noexcept { return begin_ == end_; }
  std::size_t capacity() const noexcept { return capacity_; }
  std::span<const std::byte> bytes() const noexcept { return {storage_.get() + begin_, size()}; }
  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(storage_.get() + begin_), size()}; }

  /// Room behind the bytes, at least `least` bytes of it, uninitialised. Tell commit() how many were filled.
  MutableBuffer prepare(std::size_t least);
  void commit(std::size_t count) noexcept { end_ += count; }

  void append(ConstBuffer bytes);
  /// Takes the last bytes away, until `size` are left. Requires size <= size().
  void truncate(std::size_t size) noexcept { end_ = begin_ + size; }
  /// Takes the first `count` bytes away. Requires count <= size().
  void consume(std::size_t count) noexcept { begin_ += count; }
  void clear() noexcept { begin_ = end_; }
  /// Takes the first `count` bytes out. Requires count <= size().
  std::string take(std::size_t count) {
    std::string taken(text().substr(0, count));
    consume(count);
    return taken;
  }

 private:
  void swap(ByteBuffer& other) noexcept;
  void move_to(std::size_t capacity);

  std::unique_ptr<std::byte[]> storage_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace skua
