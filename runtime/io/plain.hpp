// Readers and writers of no device: EmptyReader, RepeatReader, BufferReader, Sink. None ever waits, but for the budget.
#pragma once

#include <skua/core/budget.hpp>
#include <skua/core/future.hpp>
#include <skua/core/result.hpp>
#include <skua/io/buffer.hpp>

#include <algorithm>
#include <cstring>

namespace skua {

/// An operation that is ready as soon as there is budget, with what `act()` returns.
template <class Act>
class [[nodiscard]] WhenBudgeted {
 public:
  explicit WhenBudgeted(Act act) noexcept : act_(act) {}
  Poll<Result<std::size_t>> poll(Context& context) {
    if (!budget::take(context)) return pending;
    return Result<std::size_t>(act_());
  }

 private:
  Act act_;
};

/// A stream that has ended.
class EmptyReader {
 public:
  auto read(MutableBuffer) const noexcept {
    return WhenBudgeted([] { return std::size_t{0}; });
  }
};
inline EmptyReader empty() noexcept { return {}; }

/// The same byte, for ever.
class RepeatReader {
 public:
  explicit RepeatReader(std::byte byte) noexcept : byte_(byte) {}
  auto read(MutableBuffer buffer) const noexcept {
    return WhenBudgeted([byte = byte_, buffer] {
      if (buffer.size() != 0) std::memset(buffer.data(), std::to_integer<int>(byte), buffer.size());
      return buffer.size();
    });
  }

 private:
  std::byte byte_;
};
inline RepeatReader repeat(std::byte byte) noexcept { return RepeatReader(byte); }
inline RepeatReader repeat(char byte) noexcept { return RepeatReader(static_cast<std::byte>(byte)); }

/// The bytes of a buffer, which it borrows.
class BufferReader {
 public:
  explicit BufferReader(ConstBuffer bytes) noexcept : rest_(bytes) {}
  auto read(MutableBuffer buffer) noexcept {
    return WhenBudgeted([this, buffer] {
      const std::size_t count = std::min(buffer.size(), rest_.size());
      if (count != 0) std::memcpy(buffer.data(), rest_.data(), count);
      rest_ = rest_.after(count);
      return count;
    });
  }
  /// What has not been read.
  ConstBuffer rest() const noexcept { return rest_; }

 private:
  ConstBuffer rest_;
};

/// Takes all and keeps nothing.
class Sink {
 public:
  auto write(ConstBuffer buffer) const noexcept {
    return WhenBudgeted([buffer] { return buffer.size(); });
  }
};
inline Sink sink() noexcept { return {}; }

}  // namespace skua
