#include <skua/monitor.hpp>

#include <utility>

namespace skua {

Monitor::Monitor(Ref<reactor::Driver> own, std::vector<Ref<reactor::Driver>> drivers)
    : own_(std::move(own)), drivers_(std::move(drivers)) {}

void Monitor::watch(scheduler::Scheduler& scheduler, WorkerCount& worker_count) {
  scheduler_ = &scheduler;
  worker_count_ = &worker_count;
  watched_.resize(scheduler.workers());
  observed_ = std::vector<Observed>(scheduler.workers());
}

void Monitor::start() noexcept {
  if (watched_.size() < 2) return;
  // [MO3] seq_cst: as [MO1]; one of several workers wakes the thread. Pairs with [MO2].
  if (!ticking_.exchange(true, std::memory_order_seq_cst)) own_->wake();
}

Instant Monitor::next_tick() const noexcept {
  if (watched_.size() < 2) return Instant::max();
  // relaxed: cleared by this thread; a start that comes later also wakes us
  return ticking_.load(std::memory_order_relaxed) ? next_ : Instant::max();
}

void Monitor::tick(Instant now) {
  if (now < next_tick()) return;
  next_ = now + period;
  for (std::uint32_t worker = 0; worker < watched_.size(); ++worker) look_at(worker, now);
  worker_count_->follow_quota(now);
  rest_if_quiet();
}

void Monitor::look_at(std::uint32_t worker, Instant now) {
  Watched& watched = watched_[worker];
  const scheduler::WorkerPulse pulse = scheduler_->pulse(worker);
  const bool same_look = pulse.looks == watched.pulse.looks && !scheduler_->is_sleeping(worker);
  const bool same_poll = same_look && pulse.polls == watched.pulse.polls;
  watched.pulse = pulse;
  watched.ticks_without_look = same_look ? watched.ticks_without_look + 1 : 0;
  watched.ticks_in_poll = same_poll ? watched.ticks_in_poll + 1 : 0;
  observe_poll(worker, now);
  if (watched.ticks_without_look >= ticks_until_stuck && !drivers_.empty()) drivers_[worker]->harvest();
  if (watched.ticks_in_poll >= ticks_until_stuck) scheduler_->relieve(worker);
}

void Monitor::observe_poll(std::uint32_t worker, Instant now) {
  Watched& watched = watched_[worker];
  if (watched.ticks_in_poll == 0 || watched.in_poll_since == Instant()) {  // the first tick of all tells nothing
    watched.in_poll_since = now;
    watched.is_stall = false;
    return;
  }
  const Duration poll = now - watched.in_poll_since;
  observed_[worker].longest_poll.raise_to(static_cast<std::uint64_t>(poll.count()));
  if (poll >= stall && !std::exchange(watched.is_stall, true)) observed_[worker].stalls.add();
}

void Monitor::rest_if_quiet() {
  if (scheduler_->awake_workers() != 0) {
    quiet_ticks_ = 0;
  } else if (++quiet_ticks_ >= quiet_ticks_until_rest) {
    quiet_ticks_ = 0;
    // [MO2] seq_cst: cleared before the sleepers are counted, see the head of monitor.hpp; pairs with [MO1], [MO3].
    ticking_.store(false, std::memory_order_seq_cst);
    if (scheduler_->awake_workers() != 0) {
      ticking_.store(true,
                     std::memory_order_relaxed);  // relaxed: read by this thread, and by workers that would set it
    }
  }
}

}  // namespace skua
