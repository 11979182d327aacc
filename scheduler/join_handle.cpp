#include <skua/scheduler/join_handle.hpp>
#include <skua/scheduler/scheduler.hpp>

namespace skua {

bool JoinHandleBase::poll_finished(Context& context) noexcept {
  if (task_->state.is_complete()) return true;
  if (task_->state.has_join_waker()) {
    if (task_->join_waker.will_wake(context.waker())) return false;
    if (!task_->state.reclaim_join_waker()) return true;
  }
  task_->join_waker = context.waker();
  if (task_->state.publish_join_waker()) return false;
  task_->join_waker = Waker();
  return true;
}

void JoinHandleBase::end_now() noexcept { task_->scheduler->end_now(task_); }

void JoinHandleBase::detach() noexcept {
  const auto duty = task_->state.drop_join_handle();
  if (duty.drop_output && !taken_) task_->vtable->drop_output(task_);
  if (duty.drop_waker) task_->join_waker = Waker();
  task_->drop_references();
}

}  // namespace skua
