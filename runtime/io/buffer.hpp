// ConstBuffer and MutableBuffer: the memory that an operation reads from or writes to, whatever it is kept in.
//
// Both borrow: the memory must live until the operation has ended or been destroyed. The kernel sees it only during a
// poll.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <ranges>
#include <span>
#include <string_view>
#include <type_traits>

namespace skua {

template <class T>
concept ByteLike = std::same_as<T, char> || std::same_as<T, unsigned char> || std::same_as<T, std::byte>;

template <class R>
concept ByteRange = std::ranges::contiguous_range<R> && std::ranges::sized_range<R> &&
                    ByteLike<std::remove_cv_t<std::ranges::range_value_t<R>>>;

/// Bytes to be sent: from a string, a literal, a span, a vector or an array of char, unsigned char or std::byte.
class ConstBuffer {
 public:
  ConstBuffer(const void* data, std::size_t size) noexcept : data_(data), size_(size) {}
  ConstBuffer(std::string_view text) noexcept : ConstBuffer(text.data(), text.size()) {}
  /// A literal, without the zero at its end.
  template <std::size_t N>
  ConstBuffer(const char (&literal)[N]) noexcept : ConstBuffer(literal, literal[N - 1] == '\0' ? N - 1 : N) {}
  /// An array, all of it.
  template <std::size_t N>
  ConstBuffer(char (&array)[N]) noexcept : ConstBuffer(array, N) {}
  /// A C string.
  template <class Pointer>
    requires std::same_as<Pointer, const char*> || std::same_as<Pointer, char*>
  ConstBuffer(const Pointer& text) noexcept : ConstBuffer(std::string_view(text)) {}
  template <ByteRange R>
    requires(!std::is_array_v<R>)
  ConstBuffer(const R& bytes) noexcept : ConstBuffer(std::ranges::data(bytes), std::ranges::size(bytes)) {}

  const std::byte* data() const noexcept { return static_cast<const std::byte*>(data_); }
  std::size_t size() const noexcept { return size_; }
  /// What is left after the first `count` bytes. Requires count <= size().
  ConstBuffer after(std::size_t count) const noexcept { return {data() + count, size_ - count}; }

 private:
  const void* data_;
  std::size_t size_;
};

/// Bytes to be received into: a string (up to its size), a span, a vector or an array of char, unsigned char or
/// std::byte.
class MutableBuffer {
 public:
  MutableBuffer(void* data, std::size_t size) noexcept : data_(data), size_(size) {}
  template <ByteRange R>
    requires(!std::is_const_v<std::remove_reference_t<std::ranges::range_reference_t<R>>>)
  MutableBuffer(R&& bytes) noexcept : MutableBuffer(std::ranges::data(bytes), std::ranges::size(bytes)) {}

  std::byte* data() const noexcept { return static_cast<std::byte*>(data_); }
  std::size_t size() const noexcept { return size_; }
  /// What is left after the first `count` bytes. Requires count <= size().
  MutableBuffer after(std::size_t count) const noexcept { return {data() + count, size_ - count}; }
  /// The first `count` bytes, or all if there are fewer.
  MutableBuffer at_most(std::size_t count) const noexcept { return {data(), std::min(count, size_)}; }

 private:
  void* data_;
  std::size_t size_;
};

}  // namespace skua
