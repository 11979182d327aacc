// FramedRead, FramedWrite and Framed: a stream of bytes as a stream of items.
//
//   Framed lines(std::move(stream), LinesCodec());
//   while (auto line = co_await try_(lines.next())) co_await try_(lines.send(*line));
//
// What happens after an error:
//  - One of the decoder is an item like others: next() goes on where the decoder says, behind what it took. A decoder
//    that cannot go on returns its error again, for ever (see Decoder).
//  - One of the reader is final: next() returns it again and does not touch the reader. So is the end of the stream.
//  - One of the encoder is the item's alone: nothing of it is sent.
//  - One of the writer is final: every operation after it returns it again. An unknown part of what was fed is sent.
//
// Ownership: they own the stream and the codec; borrow(stream) makes one that works on somebody else's. Items that were
// fed and not flushed are lost when it is dropped. Threads: as the stream; next() beside send() is a read beside a
// write.
#pragma once

#include <skua/codec/codec.hpp>
#include <skua/io/buffered_writer.hpp>
#include <skua/io/concepts.hpp>
#include <skua/io/step.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace skua {

/// Bytes that may wait for the end of their item if the decoder itself (buffer_limit()) does not say.
inline constexpr std::size_t default_frame_buffer_limit = 16 << 20;
/// Bytes that are fed before feed() writes some.
inline constexpr std::size_t default_feed_limit = 8 * 1024;

/// The reading side's state. For Framed and FramedRead.
struct FrameInput {
  ByteBuffer buffer;
  bool has_ended = false;
  std::optional<Error> error;  // of the reader, or that there is too much in the buffer
};

template <AsyncRead R, Decoder D>
class [[nodiscard]] NextFrame {
 public:
  NextFrame(R& reader, D& decoder, FrameInput& input) noexcept : reader_(reader), decoder_(decoder), input_(input) {}

  Poll<DecodeResult<D>> poll(Context& context) {
    for (;;) {
      if (!read_.is_pending()) {
        if (input_.error) return DecodeResult<D>(*input_.error);
        auto item = input_.has_ended ? decoder_.decode_eof(input_.buffer) : decoder_.decode(input_.buffer);
        if (!item || *item || input_.has_ended) return item;
        if (input_.buffer.size() > limit()) {
          input_.error = Error(std::errc::message_size, "next", "no item in " + std::to_string(limit()) + " bytes");
          continue;
        }
      }
      auto read = read_.poll(context, [&] { return reader_.read(input_.buffer.prepare(default_buffer_size)); });
      if (read.is_pending()) return pending;
      Result<std::size_t> count = std::move(read).take();
      if (!count) {
        input_.error = std::move(count).error();
      } else if (*count == 0) {
        input_.has_ended = true;
      } else {
        input_.buffer.commit(*count);
      }
    }
  }

 private:
  std::size_t limit() const noexcept {
    if constexpr (requires { decoder_.buffer_limit(); }) {
      return decoder_.buffer_limit();
    } else {
      return default_frame_buffer_limit;
    }
  }

  R& reader_;
  D& decoder_;
  FrameInput& input_;
  Step<ReadFuture<R>> read_;
};

/// The writing side's state. For Framed and FramedWrite.
struct FrameOutput {
  ByteBuffer buffer;
  std::size_t feed_limit = default_feed_limit;
  std::optional<Error> error;  // of the writer

  /// Keeps an error, and passes on what came first.
  Result<void> noted(Result<void> result) {
    if (!result && !error) error = result.error();
    return result;
  }
};

/// `Item` is a value, or a reference to the caller's.
template <AsyncWrite W, class E, class Item>
  requires Encoder<E, Item>
class [[nodiscard]] FeedFrame {
 public:
  FeedFrame(W& writer, E& encoder, FrameOutput& output, Item&& item)
      : encoder_(encoder), output_(output), item_(std::forward<Item>(item)), drain_(writer, output.buffer) {}

  Poll<Result<void>> poll(Context& context) {
    if (output_.error) return Result<void>(*output_.error);
    auto drained = drain_.poll(context, output_.feed_limit);
    if (drained.is_pending()) return pending;
    if (!drained.value()) return output_.noted(std::move(drained).take());
    const std::size_t before = output_.buffer.size();
    Result<void> encoded = encoder_.encode(std::forward<Item>(item_), output_.buffer);
    if (!encoded) output_.buffer.truncate(before);
    return encoded;
  }

 private:
  E& encoder_;
  FrameOutput& output_;
  Item item_;
  Drain<W> drain_;
};

/// `Last`: FlushFuture or ShutdownFuture.
template <AsyncWrite W, Future Last>
class [[nodiscard]] FinishFrames {
 public:
  FinishFrames(W& writer, FrameOutput& output, Last (*make_last)(W&)) noexcept
      : output_(output), finish_(writer, output.buffer, make_last) {}

  Poll<Result<void>> poll(Context& context) {
    if (output_.error) return Result<void>(*output_.error);
    auto finished = finish_.poll(context);
    if (finished.is_pending()) return pending;
    return output_.noted(std::move(finished).take());
  }

 private:
  FrameOutput& output_;
  DrainThen<W, Last> finish_;
};

template <AsyncWrite W, class E, class Item>
class [[nodiscard]] SendFrame {
 public:
  SendFrame(W& writer, E& encoder, FrameOutput& output, Item&& item)
      : feed_(writer, encoder, output, std::forward<Item>(item)), flush_(writer, output, &skua::flush<W>) {}

  Poll<Result<void>> poll(Context& context) {
    if (!is_fed_) {
      auto fed = feed_.poll(context);
      if (fed.is_pending() || !fed.value()) return fed;
      is_fed_ = true;
    }
    return flush_.poll(context);
  }

 private:
  FeedFrame<W, E, Item> feed_;
  FinishFrames<W, FlushFuture<W>> flush_;
  bool is_fed_ = false;
};

/// Items from a reader.
template <AsyncRead R, Decoder D>
class FramedRead {
 public:
  FramedRead(R reader, D decoder) : reader_(std::move(reader)), decoder_(std::move(decoder)) {}

  /// The next item; nothing at the end of the stream; errors see above. Makes no coroutine. Cancel safety: nothing is
  /// lost, neither bytes nor items.
  NextFrame<R, D> next() noexcept { return {reader_, decoder_, input_}; }

  R& inner() noexcept { return reader_; }
  D& decoder() noexcept { return decoder_; }
  /// Bytes that were read and are part of no item yet.
  const ByteBuffer& buffered() const noexcept { return input_.buffer; }

 private:
  R reader_;
  D decoder_;
  FrameInput input_;
};

/// Items to a writer.
template <AsyncWrite W, class E>
class FramedWrite {
 public:
  FramedWrite(W writer, E encoder) : writer_(std::move(writer)), encoder_(std::move(encoder)) {}

  /// Encodes `item` into the buffer, after writing some of that if it holds feed_limit bytes. An lvalue is borrowed.
  /// Cancel safety: an item whose feed() is dropped while it is pending was not taken.
  template <class Item>
  FeedFrame<W, E, Item> feed(Item&& item) {
    return {writer_, encoder_, output_, std::forward<Item>(item)};
  }
  /// feed(), then flush(). Cancel safety: dropped, the item goes out whole, with the next flush, or not at all: which
  /// of the two is not known; where it matters, use feed() and flush().
  template <class Item>
  SendFrame<W, E, Item> send(Item&& item) {
    return {writer_, encoder_, output_, std::forward<Item>(item)};
  }
  /// Writes all that was fed. Cancel safety: may be repeated.
  auto flush() noexcept { return FinishFrames<W, FlushFuture<W>>(writer_, output_, &skua::flush<W>); }
  /// flush(), then ends the stream. Cancel safety: may be repeated.
  auto shutdown() noexcept { return FinishFrames<W, ShutdownFuture<W>>(writer_, output_, &skua::shutdown<W>); }

  /// How many bytes may wait before feed() writes some; at least 1.
  void set_feed_limit(std::size_t bytes) noexcept { output_.feed_limit = std::max<std::size_t>(bytes, 1); }
  W& inner() noexcept { return writer_; }
  E& encoder() noexcept { return encoder_; }

 private:
  W writer_;
  E encoder_;
  FrameOutput output_;
};

/// Items both ways on one stream, with one codec that is decoder and encoder.
template <AsyncStream S, Decoder C>
class Framed {
 public:
  Framed(S stream, C codec) : stream_(std::move(stream)), codec_(std::move(codec)) {}

  /// As FramedRead.
  NextFrame<S, C> next() noexcept { return {stream_, codec_, input_}; }
  const ByteBuffer& buffered() const noexcept { return input_.buffer; }
  /// As FramedWrite.
  template <class Item>
  FeedFrame<S, C, Item> feed(Item&& item) {
    return {stream_, codec_, output_, std::forward<Item>(item)};
  }
  template <class Item>
  SendFrame<S, C, Item> send(Item&& item) {
    return {stream_, codec_, output_, std::forward<Item>(item)};
  }
  auto flush() noexcept { return FinishFrames<S, FlushFuture<S>>(stream_, output_, &skua::flush<S>); }
  auto shutdown() noexcept { return FinishFrames<S, ShutdownFuture<S>>(stream_, output_, &skua::shutdown<S>); }
  void set_feed_limit(std::size_t bytes) noexcept { output_.feed_limit = std::max<std::size_t>(bytes, 1); }

  S& inner() noexcept { return stream_; }
  C& codec() noexcept { return codec_; }

 private:
  S stream_;
  C codec_;
  FrameInput input_;
  FrameOutput output_;
};

}  // namespace skua
