#include <skua/io/byte_buffer.hpp>

#include <algorithm>
#include <cstring>

namespace skua {

namespace {

constexpr std::size_t smallest = 512;
constexpr std::size_t idle_capacity = 64 * 1024;  // an empty buffer does not hold on to more

}  // namespace

MutableBuffer ByteBuffer::prepare(std::size_t least) {
  if (empty()) {
    begin_ = end_ = 0;
    if (capacity_ > std::max(idle_capacity, 2 * least)) move_to(std::max(smallest, least));
  }
  if (capacity_ - end_ < least) {
    // Moved within the storage only if that frees half of it: each byte moves a bounded number of times.
    if (begin_ >= size() && capacity_ - size() >= least) {
      std::memmove(storage_.get(), storage_.get() + begin_, size());
      end_ -= std::exchange(begin_, 0);
    } else {
      move_to(std::max({smallest, 2 * capacity_, size() + least}));
    }
  }
  return {storage_.get() + end_, capacity_ - end_};
}

void ByteBuffer::append(ConstBuffer bytes) {
  if (bytes.size() == 0) return;
  std::memcpy(prepare(bytes.size()).data(), bytes.data(), bytes.size());
  commit(bytes.size());
}

void ByteBuffer::move_to(std::size_t capacity) {
  auto storage = std::make_unique_for_overwrite<std::byte[]>(capacity);
  if (!empty()) std::memcpy(storage.get(), storage_.get() + begin_, size());
  storage_ = std::move(storage);
  capacity_ = capacity;
  end_ -= std::exchange(begin_, 0);
}

void ByteBuffer::swap(ByteBuffer& other) noexcept {
  std::swap(storage_, other.storage_);
  std::swap(capacity_, other.capacity_);
  std::swap(begin_, other.begin_);
  std::swap(end_, other.end_);
}

}  // namespace skua
