#include <skua/core/budget.hpp>
#include <skua/time/sleep.hpp>

namespace skua {

Poll<void> Sleep::poll(Context& context) {
  const bool is_first = !driver_;
  if (poll_without_budget(context).is_pending()) return pending;
  // What is over at once never suspends, and must let others run in the end.
  if (is_first && !budget::take(context)) return pending;
  return ready;
}

Poll<void> Sleep::poll_without_budget(Context& context) {
  if (!driver_) {
    if (deadline_ <= seam::now()) return ready;
    driver_ = Ref<reactor::Driver>::share(&reactor::Driver::current());
    driver_->arm_timer(entry_, deadline_, context.waker());
    return pending;
  }
  if (entry_.has_fired() || !driver_->replace_timer_waker(entry_, context.waker())) return ready;
  return pending;
}

}  // namespace skua
