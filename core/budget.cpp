#include <skua/core/budget.hpp>

#include <utility>

namespace skua::budget {

namespace {
// Out of line on purpose: a coroutine must never keep the address of a thread-local across a suspension.
constinit thread_local std::uint32_t units_left = unlimited;
}  // namespace

bool take(Context& context) noexcept {
  if (units_left == unlimited) return true;
  if (units_left == 0) {
    context.waker().wake_by_ref();
    return false;
  }
  --units_left;
  return true;
}

// What took the last unit keeps it. Something within it may have been refused since, and whoever combines futures sees
// by remaining() == 0 that their "pending" may mean no more than that.
void give_back() noexcept {
  if (units_left != unlimited && units_left != 0) ++units_left;
}

Grant::Grant(std::uint32_t units) noexcept : before_(std::exchange(units_left, units)) {}
Grant::~Grant() { units_left = before_; }

std::uint32_t remaining() noexcept { return units_left; }

}  // namespace skua::budget
