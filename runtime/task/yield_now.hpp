// yield_now(): lets the other tasks of the worker run first.
#pragma once

#include <skua/core/future.hpp>

namespace skua {

/// Pending once; the task goes to the end of its worker's queue. Works under any executor.
class [[nodiscard]] YieldNow {
 public:
  YieldNow() = default;
  Poll<void> poll(Context& context) noexcept {
    if (yielded_) return ready;
    yielded_ = true;
    context.waker().wake_by_ref();
    return pending;
  }

 private:
  bool yielded_ = false;
};

inline YieldNow yield_now() noexcept { return {}; }

}  // namespace skua
