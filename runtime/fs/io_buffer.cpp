#include <skua/fs/io_buffer.hpp>

#include <algorithm>
#include <cstring>

namespace skua::fs {

void IoBuffer::gather(std::span<const iovec> parts) noexcept {
  std::size_t done = 0;
  for (const iovec& part : parts) {
    const std::size_t count = std::min(part.iov_len, size_ - done);
    if (count != 0) std::memcpy(block_ + done, part.iov_base, count);
    done += count;
  }
}

void IoBuffer::scatter(std::span<const iovec> parts, std::size_t count) const noexcept {
  std::size_t done = 0;
  for (const iovec& part : parts) {
    const std::size_t here = std::min(part.iov_len, count - done);
    if (here != 0) std::memcpy(part.iov_base, block_ + done, here);
    done += here;
  }
}

}  // namespace skua::fs
