// Take: the first bytes of a reader, as a reader.
//
//   Take body(borrow(stream), content_length);
//   co_await try_(copy(body, file));
#pragma once

#include <skua/io/borrow.hpp>
#include <skua/io/concepts.hpp>
#include <skua/io/step.hpp>

#include <cstdint>
#include <utility>

namespace skua {

/// Ends after `limit` bytes, or with the reader, which it owns. Cancel safety: that of the reader.
template <AsyncRead R>
class Take {
 public:
  Take(R reader, std::uint64_t limit) noexcept : reader_(std::move(reader)), left_(limit) {}

  auto read(MutableBuffer buffer) noexcept { return Read(*this, buffer); }
  /// How many bytes it may still give: not 0 after the end says that the reader ended first.
  std::uint64_t left() const noexcept { return left_; }
  R& inner() noexcept { return reader_; }
  R into_inner() && { return std::move(reader_); }

 private:
  class [[nodiscard]] Read {
   public:
    Read(Take& self, MutableBuffer into) noexcept : self_(self), into_(into) {}
    Poll<Result<std::size_t>> poll(Context& context) {
      if (self_.left_ == 0) return Result<std::size_t>(0);
      const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(self_.left_, into_.size()));
      auto read = step_.poll(context, [&] { return self_.reader_.read(into_.at_most(most)); });
      if (read.is_ready() && read.value()) self_.left_ -= *read.value();
      return read;
    }

   private:
    Take& self_;
    MutableBuffer into_;
    Step<ReadFuture<R>> step_;
  };

  R reader_;
  std::uint64_t left_;
};

template <AsyncRead R>
Take<R> take(R reader, std::uint64_t limit) noexcept {
  return Take<R>(std::move(reader), limit);
}

}  // namespace skua
