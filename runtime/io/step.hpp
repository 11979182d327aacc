// Step: a future within a future, made when it is first needed and destroyed when it is ready. What the adaptors are
// built from: it needs no coroutine and no allocation.
#pragma once

#include <skua/core/future.hpp>

#include <optional>
#include <utility>

namespace skua {

template <Future F>
class Step {
 public:
  /// Polls the future, which is the one that `make()` returns if there is none yet.
  template <class Make>
  Poll<Output<F>> poll(Context& context, Make make) {
    if (!future_) future_.emplace(make());
    try {
      auto result = future_->poll(context);
      if (result.is_ready()) future_.reset();
      return result;
    } catch (...) {
      future_.reset();  // it is not to be polled again
      throw;
    }
  }
  bool is_pending() const noexcept { return future_.has_value(); }
  /// Drops the future.
  void cancel() noexcept { future_.reset(); }

 private:
  std::optional<F> future_;
};

}  // namespace skua
