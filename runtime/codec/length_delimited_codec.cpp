#include <skua/codec/length_delimited_codec.hpp>
#include <skua/core/assert.hpp>
#include <skua/io/stream_error.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace skua {

LengthDelimitedOptions& LengthDelimitedOptions::length_bytes(std::size_t count) noexcept {
  if (count < 1 || count > 8) fail_fast("a length field of no size that can be", "length_bytes() takes 1 to 8.");
  length_bytes_ = count;
  return *this;
}
LengthDelimitedOptions& LengthDelimitedOptions::big_endian() noexcept {
  is_big_endian_ = true;
  return *this;
}
LengthDelimitedOptions& LengthDelimitedOptions::little_endian() noexcept {
  is_big_endian_ = false;
  return *this;
}
LengthDelimitedOptions& LengthDelimitedOptions::offset(std::size_t count) noexcept {
  offset_ = count;
  return *this;
}
LengthDelimitedOptions& LengthDelimitedOptions::adjustment(std::int64_t bytes) noexcept {
  adjustment_ = bytes;
  return *this;
}
LengthDelimitedOptions& LengthDelimitedOptions::skip(std::size_t count) noexcept {
  skip_ = count;
  return *this;
}
LengthDelimitedOptions& LengthDelimitedOptions::max_frame(std::size_t bytes) noexcept {
  max_frame_ = bytes;
  return *this;
}

std::uint64_t LengthDelimitedCodec::field_of(const ByteBuffer& buffer) const noexcept {
  const auto field = buffer.bytes().subspan(options_.offset_, options_.length_bytes_);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < field.size(); ++i) {
    const std::byte digit = field[options_.is_big_endian_ ? i : field.size() - 1 - i];
    value = value << 8 | std::to_integer<std::uint64_t>(digit);
  }
  return value;
}

Result<std::size_t> LengthDelimitedCodec::item_size(std::uint64_t field) const {
  std::int64_t size = 0;
  if (__builtin_add_overflow(field, options_.adjustment_, &size) ||
      (size >= 0 && static_cast<std::uint64_t>(size) > options_.max_frame_)) {
    return Error(std::errc::message_size, "decode",
                 "a frame of length " + std::to_string(field) + ", more than " + std::to_string(options_.max_frame_));
  }
  if (size < 0) return Error(std::errc::bad_message, "decode", "a frame of length " + std::to_string(field));
  return static_cast<std::size_t>(size);
}

Result<std::optional<std::string>> LengthDelimitedCodec::fail(Error error) {
  failed_ = error;
  return error;
}

Result<std::optional<std::string>> LengthDelimitedCodec::decode(ByteBuffer& buffer) {
  if (failed_) return *failed_;
  const std::size_t head = std::max(options_.field_end(), options_.skipped());
  if (buffer.size() < options_.field_end()) return std::optional<Item>();
  Result<std::size_t> size = item_size(field_of(buffer));
  if (!size) return fail(std::move(size).error());
  const std::size_t frame = options_.skipped() + *size;
  if (frame < head) return fail(Error(std::errc::bad_message, "decode", "a frame shorter than its header"));
  if (buffer.size() < frame) return std::optional<Item>();
  buffer.consume(options_.skipped());
  return std::optional<Item>(buffer.take(*size));
}

Result<std::optional<std::string>> LengthDelimitedCodec::decode_eof(ByteBuffer& buffer) {
  auto item = decode(buffer);
  if (!item || *item || buffer.empty()) return item;
  Error error(StreamError::unexpected_eof, "decode", std::to_string(buffer.size()) + " bytes of a frame");
  buffer.clear();
  return fail(std::move(error));
}

Result<void> LengthDelimitedCodec::encode(ConstBuffer item, ByteBuffer& buffer) {
  if (options_.offset_ != 0 || options_.skipped() != options_.field_end()) {
    return Error(std::errc::not_supported, "encode", "a header with more than a length");
  }
  std::int64_t field = 0;
  const bool overflows = __builtin_sub_overflow(item.size(), options_.adjustment_, &field);
  const std::size_t bits = 8 * options_.length_bytes_;
  if (overflows || field < 0 || item.size() > options_.max_frame_ ||
      (bits < 64 && static_cast<std::uint64_t>(field) >> bits != 0)) {
    return Error(std::errc::message_size, "encode", "a frame of " + std::to_string(item.size()) + " bytes");
  }
  std::array<char, 8> bytes;
  for (std::size_t i = 0; i < options_.length_bytes_; ++i) {
    const std::size_t place = options_.is_big_endian_ ? options_.length_bytes_ - 1 - i : i;
    bytes[place] = static_cast<char>(static_cast<std::uint64_t>(field) >> (8 * i));
  }
  buffer.append({bytes.data(), options_.length_bytes_});
  buffer.append(item);
  return {};
}

std::size_t LengthDelimitedCodec::buffer_limit() const noexcept {
  const std::size_t head = std::max(options_.field_end(), options_.skipped());
  std::size_t limit = 0;
  return __builtin_add_overflow(head, options_.max_frame_, &limit) ? std::numeric_limits<std::size_t>::max() : limit;
}

}  // namespace skua
