// LengthDelimitedCodec: frames that say how long they are.
//
//     | offset bytes | length field | more header | payload            |
//     |<------------ skip: left out ------------->|<-- the item ------>|
//
// The item is what stands behind the first `skip` bytes; its size is the field's value plus `adjustment`. Examples:
//   u32 length of the payload                     LengthDelimitedOptions()                               (the default)
//   u16 length of header and payload              LengthDelimitedOptions().length_bytes(2).adjustment(-2)
//   u16 length of payload, items with header      LengthDelimitedOptions().length_bytes(2).adjustment(2).skip(0)
//   type, u24 length, flags; items payload only   LengthDelimitedOptions().offset(1).length_bytes(3).skip(5)
#pragma once

#include <skua/codec/codec.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace skua {

class LengthDelimitedOptions {
 public:
  LengthDelimitedOptions() noexcept = default;

  /// How many bytes the length field has: 1 to 8, 4 by default. Others end the program.
  LengthDelimitedOptions& length_bytes(std::size_t count) noexcept;
  /// The field's byte order: big endian by default.
  LengthDelimitedOptions& big_endian() noexcept;
  LengthDelimitedOptions& little_endian() noexcept;
  /// How many bytes stand before the length field: 0 by default.
  LengthDelimitedOptions& offset(std::size_t count) noexcept;
  /// What to add to the field's value to get the item's size: 0 by default.
  LengthDelimitedOptions& adjustment(std::int64_t bytes) noexcept;
  /// How many bytes at the front of a frame are not part of the item: by default all to the end of the length field.
  LengthDelimitedOptions& skip(std::size_t count) noexcept;
  /// The largest item: 8 MiB by default.
  LengthDelimitedOptions& max_frame(std::size_t bytes) noexcept;

 private:
  friend class LengthDelimitedCodec;
  std::size_t field_end() const noexcept { return offset_ + length_bytes_; }
  std::size_t skipped() const noexcept { return skip_.value_or(field_end()); }

  std::size_t length_bytes_ = 4;
  bool is_big_endian_ = true;
  std::size_t offset_ = 0;
  std::int64_t adjustment_ = 0;
  std::optional<std::size_t> skip_;
  std::size_t max_frame_ = 8 << 20;
};

class LengthDelimitedCodec {
 public:
  using Item = std::string;

  explicit LengthDelimitedCodec(LengthDelimitedOptions options = LengthDelimitedOptions()) noexcept
      : options_(options) {}

  /// Errors, all final, for where the next frame begins is not known: message_size for a frame above the limit (found
  /// as soon as its length is there), bad_message for a length that the adjustment makes negative.
  Result<std::optional<Item>> decode(ByteBuffer& buffer);
  /// Error: StreamError::unexpected_eof for a part of a frame.
  Result<std::optional<Item>> decode_eof(ByteBuffer& buffer);

  /// Writes the length field and the item. Errors: message_size for an item above the limit, or too large for the
  /// field; not_supported if there is more to the header than the field (offset, skip): what stands there it cannot
  /// know.
  Result<void> encode(ConstBuffer item, ByteBuffer& buffer);

  /// The largest rest that may wait for more bytes: for FramedRead.
  std::size_t buffer_limit() const noexcept;

 private:
  Result<std::optional<Item>> fail(Error error);
  std::uint64_t field_of(const ByteBuffer& buffer) const noexcept;
  Result<std::size_t> item_size(std::uint64_t field) const;

  LengthDelimitedOptions options_;
  std::optional<Error> failed_;
};

}  // namespace skua
