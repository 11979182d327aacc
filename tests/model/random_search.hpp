// RandomSearch: relacy's random scheduler with better dice.
//
// relacy's own generator is x = 257 * x + 1 with the choices taken from bit 16 on, seeded by the number of the
// interleaving: a row of choices between two depends on 17 bits of the seed, so a million interleavings are at most
// some 10^5 different ones, and runs of one thread of more than a dozen steps hardly occur among them (a model that
// needed one was never refuted). Here the generator is splitmix64, and every interleaving first draws how much a
// running thread is preferred: from not at all, which finds tight races, to 15 in 16, which lets one thread do much
// while another stands still between two steps.
#pragma once

#include <skua/model/relacy.hpp>

#include <cstdint>

namespace skua::model {

template <rl::thread_id_t Threads>
class RandomSearch : public rl::scheduler<RandomSearch<Threads>, rl::scheduler_thread_info, Threads> {
  using Base = rl::scheduler<RandomSearch, rl::scheduler_thread_info, Threads>;

 public:
  using thread_info_t = typename Base::thread_info_t;
  using shared_context_t = typename Base::shared_context_t;
  struct task_t {};

  using Base::Base;

  // What rl::scheduler asks of its derived class ------------------------------------------------------------------

  rl::thread_id_t iteration_begin_impl() {
    state_ = this->iter_ << 32;  // far from its neighbours' sequences
    stay_ = stays[below(4)];
    return this->running_threads[below(static_cast<unsigned>(this->running_threads_count))];
  }
  bool iteration_end_impl() { return this->iter_ == this->params_.iteration_count; }
  rl::iteration_t iteration_count_impl() { return this->params_.iteration_count; }

  rl::thread_id_t schedule_impl(rl::unpark_reason& reason, unsigned yield) {
    const auto running = static_cast<unsigned>(this->running_threads_count);
    // The deadline of a wait passes; it must if nobody else can go on.
    if (const auto timed = static_cast<unsigned>(this->timed_thread_count_)) {
      if (running == 0 || below(8) == 0)
        return end_wait(this->timed_threads_[below(timed)], rl::unpark_reason_timeout, reason);
    }
    if (const auto spurious = static_cast<unsigned>(this->spurious_thread_count_); spurious != 0 && running != 0) {
      if (below(8) == 0) return end_wait(this->spurious_threads_[below(spurious)], rl::unpark_reason_spurious, reason);
    }
    reason = rl::unpark_reason_normal;
    if (yield == 0 && this->thread_->state_ == rl::thread_state_running && below(16) < stay_)
      return this->thread_->index_;
    return this->running_threads[below(running)];
  }

  unsigned rand_impl(unsigned limit, rl::sched_type) { return below(limit); }

  // An interleaving is its number.
  void get_state_impl(std::ostream&) {}
  void set_state_impl(std::istream&) {}
  void on_thread_block(rl::thread_id_t, bool) {}

 private:
  static constexpr unsigned stays[] = {0, 8, 12, 15};  // in 16

  rl::thread_id_t end_wait(thread_info_t* thread, rl::unpark_reason why, rl::unpark_reason& reason) {
    this->unpark_thread(thread->index_);
    reason = why;
    return thread->index_;
  }

  // splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014)
  unsigned below(unsigned limit) {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    return static_cast<unsigned>((z >> 32) * limit >> 32);
  }

  std::uint64_t state_ = 0;
  unsigned stay_ = 0;
};

}  // namespace skua::model
