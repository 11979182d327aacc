#include <skua/current_thread.hpp>

#include <utility>

namespace skua {

CurrentThread::Turn::Turn(CurrentThread& self) : self_(self), seat_(self.scheduler_) {
  self.driver_->take_over().value();
  if (!std::exchange(self.is_asleep_, false)) return;
  self.driver_->end_sleep();
  seat_.end_sleep();
}

void CurrentThread::Turn::run_until(seam::Atomic<bool>& stop) {
  for (;;) {
    const bool has_more = seat_.run(tasks_a_round);
    // [BW1] acquire: what came before the wake is visible to the poll that follows; pairs with [BW2].
    if (stop.exchange(false, std::memory_order_acquire)) return;
    if (!has_more) sleep(Instant::max());
  }
}

bool CurrentThread::Turn::run_until_empty(Instant deadline) {
  while (!self_.scheduler_.is_empty()) {
    if (seam::now() >= deadline) return false;
    // A task that ends elsewhere, a function that blocks, wakes the driver then.
    if (!seat_.run(tasks_a_round) && !self_.scheduler_.is_empty()) sleep(deadline);
  }
  return true;
}

void CurrentThread::Turn::sleep(Instant limit) {
  seat_.begin_sleep();
  self_.driver_->park(limit);
  seat_.end_sleep();
}

bool CurrentThread::Turn::run_once() {
  seat_.look();
  self_.wake_at_ = Instant();
  if (seat_.run(tasks_a_round)) return true;
  seat_.begin_sleep();
  const auto until = self_.driver_->begin_sleep();
  if (!until) {
    seat_.end_sleep();
    return true;
  }
  self_.wake_at_ = *until;
  self_.is_asleep_ = true;
  return false;
}

}  // namespace skua
