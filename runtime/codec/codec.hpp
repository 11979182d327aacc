// Decoder and Encoder: what turns bytes into items and items into bytes. Plain structs, without any I/O: they can be
// tested, and fuzzed, with a ByteBuffer alone. FramedRead and FramedWrite (framed.hpp) put them on streams.
//
// The contract of a decoder:
//  - `using Item = ...;`
//  - decode(buffer) takes one item's bytes from the front of the buffer and returns it; or returns nothing: it needs
//  more
//    bytes. What items come does not depend on how the bytes were cut into pieces.
//  - decode_eof(buffer) is called instead once the stream has ended, until it returns nothing: the last item, which may
//    lack its end, or an error for a rest that is no item. It takes all bytes in the end.
//  - An error either takes the offending bytes, and the next call goes on behind them, or it is final: then every
//    call after it returns it again.
//  - It has a limit on how large an item may become, on by default; the error is std::errc::message_size.
// The contract of an encoder: encode(item, buffer) appends the item's bytes to the buffer, all of them, or returns an
// error.
#pragma once

#include <skua/core/result.hpp>
#include <skua/io/byte_buffer.hpp>

#include <concepts>
#include <optional>
#include <utility>

namespace skua {

template <class D>
using DecodeResult = Result<std::optional<typename D::Item>>;

template <class D>
concept Decoder = requires(D& decoder, ByteBuffer& buffer) {
  typename D::Item;
  { decoder.decode(buffer) } -> std::same_as<DecodeResult<D>>;
  { decoder.decode_eof(buffer) } -> std::same_as<DecodeResult<D>>;
};

template <class E, class Item>
concept Encoder = requires(E& encoder, Item&& item, ByteBuffer& buffer) {
  { encoder.encode(std::forward<Item>(item), buffer) } -> std::same_as<Result<void>>;
};

}  // namespace skua
