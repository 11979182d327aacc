// LinesCodec: lines of text. Each ends with "\n" or "\r\n"; the last may lack its end.
//
// After a line that is longer than the limit it is in step again: it skips the rest, to the next "\n".
#pragma once

#include <skua/codec/delimiter_codec.hpp>

namespace skua {

class LinesCodec {
 public:
  using Item = std::string;

  /// Lines of up to `max_size` bytes, their ends not counted.
  explicit LinesCodec(std::size_t max_size = default_max_item_size) noexcept
      : max_size_(max_size), scanner_(max_size) {}

  /// Lines without their ends. Error: message_size, once for each line that is too long.
  Result<std::optional<Item>> decode(ByteBuffer& buffer) { return scanner_.next(buffer, "\n", '\r'); }
  Result<std::optional<Item>> decode_eof(ByteBuffer& buffer);

  /// Puts "\n" after the line. Errors: invalid_argument for one that holds a "\n", message_size for one that is too
  /// long: the other side would read something else. (A "\r" at its end is lost there.)
  Result<void> encode(ConstBuffer line, ByteBuffer& buffer);

 private:
  std::size_t max_size_;
  DelimitedScanner scanner_;
};

}  // namespace skua
