// read_until(), read_line() and lines(): pieces of a stream that end with a byte.
//
//   std::string line;                                            // one string: no allocation for each line
//   while (co_await try_(read_line(reader, line))) use(line);
//
// Their readers buffer (AsyncBufRead). Cancel safety of all: nothing is taken from the buffer before the piece is
// whole.
#pragma once

#include <skua/io/concepts.hpp>
#include <skua/io/step.hpp>
#include <skua/io/stream_error.hpp>

#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace skua {

/// The longest line unless told otherwise, its end included: a peer that sends none must not take all memory.
inline constexpr std::size_t default_line_limit = 64 * 1024;

template <AsyncBufRead R>
using FillFuture = decltype(std::declval<R&>().fill());

/// What comes from an AsyncBufRead.
template <AsyncBufRead R>
std::string_view buffered_text(R& reader) {
  const std::span<const std::byte> bytes = reader.buffered();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <AsyncBufRead R>
class [[nodiscard]] ReadUntil {
 public:
  ReadUntil(R& reader, char delimiter, std::string& into, std::size_t limit) noexcept
      : reader_(reader), delimiter_(delimiter), into_(into), limit_(limit) {}

  Poll<Result<std::size_t>> poll(Context& context) {
    for (;;) {
      if (!fill_.is_pending()) {
        const std::string_view text = buffered_text(reader_);
        const std::size_t found = text.find(delimiter_, scanned_);
        const std::size_t size = found == text.npos ? text.size() : found + 1;
        if (size > limit_) return Result<std::size_t>(too_long());
        if (found != text.npos) return take(text.substr(0, size));
        scanned_ = size;
      }
      auto filled = fill_.poll(context, [&] { return reader_.fill(); });
      if (filled.is_pending() || !filled.value()) return filled;
      if (*filled.value() == 0) return take(buffered_text(reader_));
    }
  }

 private:
  Result<std::size_t> take(std::string_view piece) {
    into_.assign(piece);
    reader_.consume(piece.size());
    return into_.size();
  }
  Error too_long() const {
    return Error(std::errc::message_size, "read_until", "no delimiter in " + std::to_string(limit_) + " bytes");
  }

  R& reader_;
  const char delimiter_;
  std::string& into_;
  const std::size_t limit_;
  std::size_t scanned_ = 0;
  Step<FillFuture<R>> fill_;
};

/// Replaces `into` by the next piece, `delimiter` included; the last one may lack it. Ready with its size; 0 at the end
/// of the stream. Errors: the reader's; std::errc::message_size if there is no delimiter in `limit` bytes: they stay in
/// the buffer, and so does the error until the caller consumes some.
template <AsyncBufRead R>
ReadUntil<R> read_until(R& reader, char delimiter, std::string& into, std::size_t limit = default_line_limit) noexcept {
  return ReadUntil<R>(reader, delimiter, into, limit);
}

template <AsyncBufRead R>
class [[nodiscard]] ReadLine {
 public:
  ReadLine(R& reader, std::string& line, std::size_t limit) noexcept : line_(line), until_(reader, '\n', line, limit) {}

  Poll<Result<bool>> poll(Context& context) {
    auto read = until_.poll(context);
    if (read.is_pending()) return pending;
    const Result<std::size_t> size = std::move(read).take();
    if (!size) return Result<bool>(error_of_part(size.error(), "read_line", "line"));
    if (line_.ends_with('\n')) line_.pop_back();
    if (line_.ends_with('\r')) line_.pop_back();
    return Result<bool>(*size != 0);
  }

 private:
  std::string& line_;
  ReadUntil<R> until_;
};

/// Replaces `line` by the next line, without its "\n" or "\r\n", which the last may lack. False at the end of the
/// stream. Errors as of read_until(); `limit` counts the line's end.
template <AsyncBufRead R>
ReadLine<R> read_line(R& reader, std::string& line, std::size_t limit = default_line_limit) noexcept {
  return ReadLine<R>(reader, line, limit);
}

/// The lines of a reader, which it borrows, each in a string of its own.
template <AsyncBufRead R>
class Lines {
 public:
  Lines(R& reader, std::size_t limit) noexcept : reader_(reader), limit_(limit) {}

  class [[nodiscard]] Next {
   public:
    explicit Next(Lines& lines) noexcept : lines_(lines) {}
    Poll<Result<std::optional<std::string>>> poll(Context& context) {
      using Output = Result<std::optional<std::string>>;
      auto read = step_.poll(context, [&] { return ReadLine<R>(lines_.reader_, line_, lines_.limit_); });
      if (read.is_pending()) return pending;
      Result<bool> more = std::move(read).take();
      if (!more) return Output(std::move(more).error());
      return *more ? Output(std::move(line_)) : Output(std::nullopt);
    }

   private:
    Lines& lines_;
    std::string line_;
    Step<ReadLine<R>> step_;
  };

  /// The next line, nothing at the end of the stream. See read_line().
  Next next() noexcept { return Next(*this); }

 private:
  R& reader_;
  std::size_t limit_;
};

template <AsyncBufRead R>
Lines<R> lines(R& reader, std::size_t limit = default_line_limit) noexcept {
  return Lines<R>(reader, limit);
}

}  // namespace skua
