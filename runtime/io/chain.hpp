// chain(): two readers, one after the other, as one: a prefix that was read already, and the rest of the stream.
#pragma once

#include <skua/io/concepts.hpp>
#include <skua/io/step.hpp>

#include <utility>

namespace skua {

/// Gives all of the first reader, then all of the second; owns both. Cancel safety: that of the readers.
template <AsyncRead First, AsyncRead Second>
class ChainedReader {
 public:
  ChainedReader(First first, Second second) noexcept : first_(std::move(first)), second_(std::move(second)) {}

  auto read(MutableBuffer buffer) noexcept { return Read(*this, buffer); }

 private:
  class [[nodiscard]] Read {
   public:
    Read(ChainedReader& self, MutableBuffer into) noexcept : self_(self), into_(into) {}
    Poll<Result<std::size_t>> poll(Context& context) {
      if (into_.size() == 0) return Result<std::size_t>(0);  // or it would look like the end of the first
      if (!self_.first_has_ended_) {
        auto read = step_first_.poll(context, [&] { return self_.first_.read(into_); });
        if (read.is_pending() || !read.value() || *read.value() != 0) return read;
        self_.first_has_ended_ = true;
      }
      return step_second_.poll(context, [&] { return self_.second_.read(into_); });
    }

   private:
    ChainedReader& self_;
    MutableBuffer into_;
    Step<ReadFuture<First>> step_first_;
    Step<ReadFuture<Second>> step_second_;
  };

  First first_;
  Second second_;
  bool first_has_ended_ = false;
};

template <AsyncRead First, AsyncRead Second>
ChainedReader<First, Second> chain(First first, Second second) noexcept {
  return ChainedReader<First, Second>(std::move(first), std::move(second));
}

}  // namespace skua
