// InputBuffer: bytes that have come and are not used up yet, in one piece.
//
// Nothing moves but in prepare() and erase(): text that points into bytes() stays valid until then.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace http {

class InputBuffer {
 public:
  /// Room for more bytes, at least one. Tell commit() how many came.
  std::span<char> prepare();
  void commit(std::size_t count) noexcept { end_ += count; }

  /// The first `count` bytes are used up.
  void consume(std::size_t count) noexcept { begin_ += count; }
  /// Takes `count` bytes out of the middle.
  void erase(std::size_t offset, std::size_t count) noexcept;

  char* data() noexcept { return storage_.data() + begin_; }
  std::size_t size() const noexcept { return end_ - begin_; }
  std::string_view bytes() const noexcept { return {storage_.data() + begin_, size()}; }

 private:
  std::vector<char> storage_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace http
