// Result<T>: a value or an error. Operations of the runtime return it and do not throw.
//
//   if (auto n = co_await stream.read(buffer)) use(*n); else report(n.error());
//   auto [ec, n] = co_await stream.read(buffer);           // ec is a std::error_code, n is T{} on failure
//   std::size_t n = (co_await stream.read(buffer)).value();  // throws std::system_error on failure
//   std::size_t n = co_await try_(stream.read(buffer));      // ends a Task<Result<...>> with the error (try.hpp)
#pragma once

#include <skua/core/assert.hpp>
#include <skua/core/error.hpp>

#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>
#if __has_include(<expected>)
#include <expected>
#endif

namespace skua {

template <class T, class E>
class Result;

template <class T>
inline constexpr bool is_result = false;
template <class T, class E>
inline constexpr bool is_result<Result<T, E>> = true;

/// `E` has raise(), which throws, and code().
template <class T, class E = Error>
class [[nodiscard]] Result {
  static_assert(std::is_object_v<T>);

 public:
  using value_type = T;
  using error_type = E;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /// The value; without one, throws what the error says.
  T& value() & { return require_value(), *std::get_if<0>(&state_); }
  const T& value() const& { return require_value(), *std::get_if<0>(&state_); }
  T value() && { return require_value(), std::move(*std::get_if<0>(&state_)); }

  /// The value. Requires has_value().
  T& operator*() & noexcept { return *checked(std::get_if<0>(&state_)); }
  const T& operator*() const& noexcept { return *checked(std::get_if<0>(&state_)); }
  T&& operator*() && noexcept { return std::move(*checked(std::get_if<0>(&state_))); }
  T* operator->() noexcept { return checked(std::get_if<0>(&state_)); }
  const T* operator->() const noexcept { return checked(std::get_if<0>(&state_)); }

  template <class U>
  T value_or(U&& fallback) && {
    return has_value() ? std::move(**this) : static_cast<T>(std::forward<U>(fallback));
  }

  /// The error. Requires !has_value().
  const E& error() const& noexcept { return *checked(std::get_if<1>(&state_)); }
  E&& error() && noexcept { return std::move(*checked(std::get_if<1>(&state_))); }

#if defined(__cpp_lib_expected)
  Result(std::expected<T, E> other)
      : state_(other ? State(std::in_place_index<0>, *std::move(other))
                     : State(std::in_place_index<1>, std::move(other).error())) {}
  operator std::expected<T, E>() && {
    if (has_value()) return std::move(**this);
    return std::unexpected(std::move(*this).error());
  }
#endif

  /// For structured bindings: element 0 is the error's code, element 1 the value or T{}.
  template <std::size_t Index>
  auto get() && {
    if constexpr (Index == 0) {
      return has_value() ? std::error_code{} : error().code();
    } else {
      return has_value() ? std::move(**this) : T{};
    }
  }

 private:
  using State = std::variant<T, E>;
  void require_value() const {
    if (!has_value()) std::get_if<1>(&state_)->raise();
  }
  template <class P>
  static P* checked(P* pointer) noexcept {
    SKUA_ASSERT(pointer != nullptr);
    return pointer;
  }
  State state_;
};

template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  using value_type = void;
  using error_type = E;

  Result() = default;
  Result(E error) : error_(std::move(error)) {}

  bool has_value() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  void value() const {
    if (error_) error_->raise();
  }
  void operator*() const noexcept { SKUA_ASSERT(has_value()); }
  const E& error() const& noexcept {
    SKUA_ASSERT(!has_value());
    return *error_;
  }
  E&& error() && noexcept {
    SKUA_ASSERT(!has_value());
    return std::move(*error_);
  }
  template <std::size_t Index>
  auto get() && {
    static_assert(Index == 0);
    return has_value() ? std::error_code{} : error().code();
  }

 private:
  std::optional<E> error_;
};

}  // namespace skua

template <class T, class E>
struct std::tuple_size<skua::Result<T, E>> : std::integral_constant<std::size_t, std::is_void_v<T> ? 1 : 2> {};
template <std::size_t Index, class T, class E>
struct std::tuple_element<Index, skua::Result<T, E>> {
  using type = std::conditional_t<Index == 0, std::error_code, T>;
};
