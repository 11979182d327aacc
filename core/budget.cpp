#include <skua/core/budget.hpp>

#include <utility>

namespace skua::budget {

namespace {
// Out of line on purpose: a coroutine must never keep the address of a thread-local across a suspension.
constinit thread_local std::uint32_t units_left = unlimited;
// When this grant's clock was first looked at; min(): not yet.
constinit thread_local Instant slice_start = Instant::min();

bool is_slice_over() noexcept {
  const Instant now = seam::now();
  if (slice_start == Instant::min()) slice_start = now;
  return now - slice_start > slice;
}

bool take_at_a_multiple(Context& context) noexcept {
  if (units_left == unlimited) return true;
  if (units_left != 0 && is_slice_over()) units_left = 0;
  if (units_left == 0) {
    context.waker().wake_by_ref();
    return false;
  }
  --units_left;
  return true;
}
}  // namespace

// Zero and `unlimited` are multiples of units_per_look as are the moments for a look: one branch sees to all of them.
bool take(Context& context) noexcept {
  if (units_left % units_per_look == 0) [[unlikely]]
    return take_at_a_multiple(context);
  --units_left;
  return true;
}

// What took the last unit keeps it. Something within it may have been refused since, and whoever combines futures sees
// by remaining() == 0 that their "pending" may mean no more than that.
void give_back() noexcept {
  if (units_left != unlimited && units_left != 0) ++units_left;
}

void refill(std::uint32_t units) noexcept {
  units_left = units;
  slice_start = Instant::min();
}

Grant::Grant(std::uint32_t units) noexcept
    : units_before_(std::exchange(units_left, units)), start_before_(std::exchange(slice_start, Instant::min())) {}
Grant::~Grant() {
  units_left = units_before_;
  slice_start = start_before_;
}

std::uint32_t remaining() noexcept { return units_left; }

}  // namespace skua::budget
