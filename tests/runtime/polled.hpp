// A future that is polled by hand, with a context of its own that counts the wakes.
#pragma once

#include <skua/core/future.hpp>

#include "../support/probe.hpp"

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace skua::tests {

template <class F>
class Polled {
 public:
  using Value = Output<F>;

  explicit Polled(F future) : future_(std::in_place, std::move(future)) {}

  /// Polls it. True if it is ready, now or since an earlier poll.
  bool is_ready() {
    if (!is_ready_ && future_) {
      auto result = future_->poll(context_);
      is_ready_ = result.is_ready();
      if constexpr (!std::is_void_v<Value>) {
        if (is_ready_) value_.emplace(std::move(result).take());
      }
    }
    return is_ready_;
  }
  auto& value() { return *value_; }
  int wakes() const { return context_.wakes(); }
  F& future() { return *future_; }
  /// Destroys the future, and what it was ready with.
  void drop() {
    future_.reset();
    value_.reset();
  }

 private:
  using Kept = std::conditional_t<std::is_void_v<Value>, std::monostate, Value>;
  CountedContext context_;
  std::optional<Kept> value_;
  std::optional<F> future_;
  bool is_ready_ = false;
};

}  // namespace skua::tests
