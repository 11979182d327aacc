// consume_budget(): a point where a long loop gives way when it has used up its share.
#pragma once

#include <skua/core/budget.hpp>
#include <skua/core/future.hpp>

namespace skua {

/// Ready at once, or after others have run if the task has used up its budget. Unlike yield_now() it costs next to
/// nothing as long as there is some.
class [[nodiscard]] ConsumeBudget {
 public:
  ConsumeBudget() = default;
  Poll<void> poll(Context& context) noexcept {
    if (!budget::take(context)) return pending;
    return ready;
  }
};

inline ConsumeBudget consume_budget() noexcept { return {}; }

}  // namespace skua
