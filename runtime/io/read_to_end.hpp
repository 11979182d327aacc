// read_to_end() and read_to_string(): all that a reader gives, up to a limit.
//
//   std::string text = co_await try_(read_to_string(stream));
#pragma once

#include <skua/core/task.hpp>
#include <skua/io/concepts.hpp>
#include <skua/io/stream_error.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace skua {

/// What read_to_end() takes at most unless it is told otherwise: a peer that never ends must not take all memory.
inline constexpr std::size_t default_read_limit = 64 << 20;

/// A string or vector that is larger than what it holds while bytes are read into its end. Cut when this is destroyed.
template <class Container>
class GrowingTail {
 public:
  explicit GrowingTail(Container& container) noexcept : container_(container), size_(container.size()) {}
  GrowingTail(const GrowingTail&) = delete;
  GrowingTail& operator=(const GrowingTail&) = delete;
  ~GrowingTail() { container_.resize(size_); }

  MutableBuffer room() {
    constexpr std::size_t smallest = 4096;
    if (size_ == container_.size()) container_.resize(std::max(smallest, 2 * size_));
    return MutableBuffer(container_).after(size_);
  }
  void commit(std::size_t count) noexcept { size_ += count; }

 private:
  Container& container_;
  std::size_t size_;
};

/// Appends to `into` (a std::string or a vector of bytes) what `reader` gives until its end; ready with how many bytes
/// that were. Errors: the reader's; std::errc::value_too_large after `limit` bytes if the stream goes on.
/// Cancel safety: what has come is in `into`, also after an error. Both references must outlive the task.
template <AsyncRead R, ByteRange Container>
Task<Result<std::size_t>> read_to_end(R& reader, Container& into, std::size_t limit = default_read_limit) {
  GrowingTail<Container> tail(into);
  std::size_t done = 0;
  for (;;) {
    // At the limit one byte more is asked for, not to be kept: only that tells the end from more to come.
    std::byte beyond{};
    const MutableBuffer room = done < limit ? tail.room().at_most(limit - done) : MutableBuffer(&beyond, 1);
    const Result<std::size_t> count = co_await reader.read(room);
    if (!count) co_return error_of_part(count.error(), "read_to_end", "after " + std::to_string(done) + " bytes");
    if (*count == 0) co_return done;
    if (done == limit) {
      co_return Error(std::errc::value_too_large, "read_to_end", "more than " + std::to_string(limit) + " bytes");
    }
    tail.commit(*count);
    done += *count;
  }
}

/// As above, in a vector of its own. Not cancel safe: what has come is dropped with the task, and after an error.
template <AsyncRead R>
Task<Result<std::vector<std::byte>>> read_to_end(R& reader, std::size_t limit = default_read_limit) {
  std::vector<std::byte> bytes;
  const Result<std::size_t> count = co_await read_to_end(reader, bytes, limit);
  if (!count) co_return count.error();
  co_return std::move(bytes);
}

/// As above, in a string.
template <AsyncRead R>
Task<Result<std::string>> read_to_string(R& reader, std::size_t limit = default_read_limit) {
  std::string text;
  const Result<std::size_t> count = co_await read_to_end(reader, text, limit);
  if (!count) co_return count.error();
  co_return std::move(text);
}

}  // namespace skua
