// BytesCodec: no frames at all: items are the bytes as they come.
#pragma once

#include <skua/codec/codec.hpp>

#include <string>

namespace skua {

/// The one decoder whose items depend on how the bytes arrive: put together they are the stream.
struct BytesCodec {
  using Item = std::string;

  Result<std::optional<Item>> decode(ByteBuffer& buffer) {
    if (buffer.empty()) return std::optional<Item>();
    return std::optional<Item>(buffer.take(buffer.size()));
  }
  Result<std::optional<Item>> decode_eof(ByteBuffer& buffer) { return decode(buffer); }

  Result<void> encode(ConstBuffer item, ByteBuffer& buffer) {
    buffer.append(item);
    return {};
  }
};

}  // namespace skua
