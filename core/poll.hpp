// Poll<T>: the answer of a future: its value, or "not yet, the waker will be called".
#pragma once

#include <skua/core/assert.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace skua {

/// Converts to a pending Poll of any type: `return pending;`
struct Pending {
  explicit constexpr Pending() = default;
};
inline constexpr Pending pending{};

/// Converts to a ready Poll<void>: `return ready;`
struct Ready {
  explicit constexpr Ready() = default;
};
inline constexpr Ready ready{};

template <class T>
class [[nodiscard]] Poll {
  static_assert(std::is_object_v<T>, "a future's output is an object or void: return a pointer instead of a reference");

 public:
  using value_type = T;

  Poll(T value) : value_(std::move(value)) {}
  Poll(Pending) noexcept {}

  bool is_ready() const noexcept { return value_.has_value(); }
  bool is_pending() const noexcept { return !value_.has_value(); }

  /// The value. Requires is_ready().
  T& value() & noexcept {
    SKUA_ASSERT(is_ready());
    return *value_;
  }
  /// Moves the value out. Requires is_ready().
  T take() && {
    SKUA_ASSERT(is_ready());
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class [[nodiscard]] Poll<void> {
 public:
  using value_type = void;

  Poll(Ready) noexcept : ready_(true) {}
  Poll(Pending) noexcept {}

  bool is_ready() const noexcept { return ready_; }
  bool is_pending() const noexcept { return !ready_; }
  void take() && noexcept { SKUA_ASSERT(ready_); }

 private:
  bool ready_ = false;
};

}  // namespace skua
