#include <skua/codec/delimiter_codec.hpp>
#include <skua/core/assert.hpp>

#include <utility>

namespace skua {

Error DelimitedScanner::too_long() const {
  return Error(std::errc::message_size, "decode", "an item of more than " + std::to_string(max_size_) + " bytes");
}

Result<std::optional<std::string>> DelimitedScanner::taken(ByteBuffer& buffer, std::size_t size, std::size_t with_end,
                                                           char optional_end) const {
  std::string_view item = buffer.text().substr(0, size);
  if (optional_end != '\0' && item.ends_with(optional_end)) item.remove_suffix(1);
  if (item.size() > max_size_) {
    buffer.consume(with_end);
    return too_long();
  }
  std::optional<std::string> copy(std::in_place, item);
  buffer.consume(with_end);
  return copy;
}

Result<std::optional<std::string>> DelimitedScanner::next(ByteBuffer& buffer, std::string_view delimiters,
                                                          char optional_end) {
  for (;;) {
    const std::string_view text = buffer.text();
    const std::size_t end = text.find_first_of(delimiters, scanned_);
    scanned_ = end == text.npos ? text.size() : 0;
    if (std::exchange(skipping_, skipping_ && end == text.npos)) {
      buffer.consume(end == text.npos ? text.size() : end + 1);
      scanned_ = 0;
      if (skipping_) return std::optional<std::string>();
      continue;
    }
    if (end != text.npos) return taken(buffer, end, end + 1, optional_end);
    // Too long for sure, whatever comes: not if the one byte too many may belong to the end.
    const bool may_end = optional_end != '\0' && text.size() == max_size_ + 1 && text.ends_with(optional_end);
    if (text.size() <= max_size_ || may_end) return std::optional<std::string>();
    buffer.clear();
    scanned_ = 0;
    skipping_ = true;
    return too_long();
  }
}

Result<std::optional<std::string>> DelimitedScanner::rest(ByteBuffer& buffer, char optional_end) {
  scanned_ = 0;
  skipping_ = false;
  if (buffer.empty()) return std::optional<std::string>();
  return taken(buffer, buffer.size(), buffer.size(), optional_end);
}

DelimiterCodec::DelimiterCodec(std::string delimiters, std::size_t max_size)
    : DelimiterCodec(delimiters, delimiters.substr(0, 1), max_size) {}

DelimiterCodec::DelimiterCodec(std::string delimiters, std::string written, std::size_t max_size)
    : delimiters_(std::move(delimiters)), written_(std::move(written)), max_size_(max_size), scanner_(max_size) {
  if (delimiters_.empty())
    fail_fast("a DelimiterCodec without delimiters", "Name at least one byte that ends an item.");
}

Result<std::optional<std::string>> DelimiterCodec::decode_eof(ByteBuffer& buffer) {
  auto item = decode(buffer);
  if (!item || *item) return item;
  return scanner_.rest(buffer, '\0');
}

Result<void> DelimiterCodec::encode(ConstBuffer item, ByteBuffer& buffer) {
  const std::string_view text(reinterpret_cast<const char*>(item.data()), item.size());
  if (text.size() > max_size_) {
    return Error(std::errc::message_size, "encode", "an item of " + std::to_string(text.size()) + " bytes");
  }
  if (text.find_first_of(delimiters_) != text.npos) {
    return Error(std::errc::invalid_argument, "encode", "an item that holds a delimiter");
  }
  buffer.append(item);
  buffer.append(written_);
  return {};
}

}  // namespace skua
