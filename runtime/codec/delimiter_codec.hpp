// DelimiterCodec: items that end with any byte of a set.
//
// After an item that is longer than the limit it is in step again: it skips the rest, to the next delimiter.
#pragma once

#include <skua/codec/codec.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace skua {

/// The longest item of a DelimiterCodec and of a LinesCodec unless told otherwise, without its end.
inline constexpr std::size_t default_max_item_size = 64 * 1024;

/// Finds where an item ends, in bytes that come piece by piece, and what to leave out. For codecs.
class DelimitedScanner {
 public:
  explicit DelimitedScanner(std::size_t max_size) noexcept : max_size_(max_size) {}

  /// The next item of `buffer`, which ends with one of `delimiters`; the item is what stands before it, without the one
  /// byte `optional_end` if it ends with that ('\0': there is none such).
  Result<std::optional<std::string>> next(ByteBuffer& buffer, std::string_view delimiters, char optional_end);
  /// The rest, when there is no more to come and next() has nothing any more.
  Result<std::optional<std::string>> rest(ByteBuffer& buffer, char optional_end);

 private:
  Result<std::optional<std::string>> taken(ByteBuffer& buffer, std::size_t size, std::size_t with_end,
                                           char optional_end) const;
  Error too_long() const;

  std::size_t max_size_;
  std::size_t scanned_ = 0;  // so far there is no delimiter
  bool skipping_ = false;    // the rest of an item that was too long
};

class DelimiterCodec {
 public:
  using Item = std::string;

  /// Items end with any byte of `delimiters`; `written` (by default the first of them) is put after those that are
  /// sent.
  explicit DelimiterCodec(std::string delimiters, std::size_t max_size = default_max_item_size);
  DelimiterCodec(std::string delimiters, std::string written, std::size_t max_size = default_max_item_size);

  /// Items without their delimiters; the last one may lack it. Error: message_size, once for each item that is too
  /// long.
  Result<std::optional<Item>> decode(ByteBuffer& buffer) { return scanner_.next(buffer, delimiters_, '\0'); }
  Result<std::optional<Item>> decode_eof(ByteBuffer& buffer);

  /// Errors: invalid_argument for an item that holds a delimiter, message_size for one that is too long: the other side
  /// would read something else.
  Result<void> encode(ConstBuffer item, ByteBuffer& buffer);

 private:
  std::string delimiters_;
  std::string written_;
  std::size_t max_size_;
  DelimitedScanner scanner_;
};

}  // namespace skua
