#include "http/input_buffer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace http {
namespace {

constexpr std::size_t initial_size = 4 * 1024;  // a dozen pipelined requests
constexpr std::size_t idle_size = 64 * 1024;    // an empty buffer does not hold on to more

}  // namespace

std::span<char> InputBuffer::prepare() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (storage_.size() > idle_size) std::vector<char>(initial_size).swap(storage_);
  } else if (begin_ > 0) {  // once per request at most: its first byte is at the front then
    std::memmove(storage_.data(), data(), size());
    end_ -= std::exchange(begin_, 0);
  }
  if (end_ == storage_.size()) storage_.resize(std::max(initial_size, 2 * storage_.size()));
  return std::span(storage_).subspan(end_);
}

void InputBuffer::erase(std::size_t offset, std::size_t count) noexcept {
  if (count == 0) return;
  std::memmove(data() + offset, data() + offset + count, size() - offset - count);
  end_ -= count;
}

}  // namespace http
