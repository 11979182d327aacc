#include <skua/time/sleep.hpp>

namespace skua {

Poll<void> Sleep::poll(Context& context) {
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
