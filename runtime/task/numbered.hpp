// Numbered: a future that says which one it was. For sets whose futures end in another order than they began in.
#pragma once

#include <skua/core/future.hpp>
#include <skua/task/join.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace skua {

/// How a future ended: with its output (std::monostate for void), or with what it threw.
template <class T>
class Outcome {
 public:
  explicit Outcome(Unit<T> output) : output_(std::move(output)) {}
  explicit Outcome(std::exception_ptr thrown) noexcept : thrown_(std::move(thrown)) {}

  /// The output, or throws. Once.
  Unit<T> take() && {
    if (thrown_) std::rethrow_exception(std::move(thrown_));
    return *std::move(output_);
  }

 private:
  std::optional<Unit<T>> output_;
  std::exception_ptr thrown_;
};

template <class T>
struct NumberedOutcome {
  std::size_t number;
  Outcome<T> outcome;
};

/// `F` may be a reference: the future is borrowed then.
template <class F>
class [[nodiscard]] Numbered {
 public:
  using T = Output<F>;
  Numbered(std::size_t number, F&& future) : number_(number), future_(std::forward<F>(future)) {}

  Poll<NumberedOutcome<T>> poll(Context& context) {
    try {
      auto result = future_.poll(context);
      if (result.is_pending()) return pending;
      if constexpr (std::is_void_v<T>) {
        return NumberedOutcome<T>{number_, Outcome<T>(std::monostate())};
      } else {
        return NumberedOutcome<T>{number_, Outcome<T>(std::move(result).take())};
      }
    } catch (...) {
      return NumberedOutcome<T>{number_, Outcome<T>(std::current_exception())};
    }
  }

 private:
  std::size_t number_;
  F future_;
};

}  // namespace skua
