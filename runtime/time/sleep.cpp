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
  if (!driver_) return arm(context);
  if (!entry_.has_fired() && driver_->replace_timer_waker(entry_, context.waker())) return pending;
  // It has fired: at its time, at one from before reset(), or because nobody turns the driver any more.
  return armed_for_ < deadline_ ? arm(context) : ready;
}

Poll<void> Sleep::arm(Context& context) {
  if (deadline_ <= Clock::now()) return ready;
  driver_ = Ref<reactor::Driver>::share(&reactor::Driver::current());
  armed_for_ = deadline_;
  driver_->arm_timer(entry_, deadline_, context.waker());
  return pending;
}

void Sleep::reset(Instant deadline) {
  deadline_ = deadline;
  if (!driver_ || (!entry_.has_fired() && armed_for_ <= deadline)) return;
  armed_for_ = deadline;
  // Not armed any more: the next poll is as the first.
  if (entry_.has_fired() || !driver_->move_timer(entry_, deadline)) driver_ = nullptr;
}

}  // namespace skua
