#include <skua/core/assert.hpp>
#include <skua/core/timekeeper.hpp>

#include <algorithm>
#include <utility>

namespace skua {

#if !defined(SKUA_MODEL)
namespace seam {

namespace {
constinit thread_local Timekeeper* current = nullptr;
}

Instant now_of_this_thread() noexcept { return current == nullptr ? now() : current->now(); }
void set_current_timekeeper(Timekeeper* keeper) noexcept { current = keeper; }

}  // namespace seam
#endif

Timekeeper::Timekeeper(Instant start) noexcept : now_(start) {
#if !defined(SKUA_MODEL)
  seam::virtual_clocks.fetch_add(1, std::memory_order_relaxed);  // relaxed: see Clock::now()
#endif
}

Timekeeper::~Timekeeper() {
#if !defined(SKUA_MODEL)
  seam::virtual_clocks.fetch_sub(1, std::memory_order_relaxed);  // relaxed: see Clock::now()
#endif
}

Instant Timekeeper::now() {
  const seam::Lock lock(mutex_);
  return time();
}

Instant Timekeeper::time() const noexcept { return is_paused_ ? now_ : seam::now() + ahead_; }

Duration Timekeeper::real_time_until(Instant deadline) {
  const seam::Lock lock(mutex_);
  if (is_paused_ || deadline == Instant::max()) return Duration::max();
  return std::max(Duration::zero(), deadline - time());
}

// The turn: one thread at a time calls the followers, and changes their list.
void Timekeeper::take_turn() {
  while (is_turn_taken_) turn_ends_.wait(mutex_);
  is_turn_taken_ = true;
}

void Timekeeper::end_turn() {
  is_turn_taken_ = false;
  turn_ends_.notify_all();
}

void Timekeeper::add(Follower& follower) {
  const seam::Lock lock(mutex_);
  take_turn();
  followers_.push_back(&follower);
  end_turn();
}

void Timekeeper::remove(Follower& follower) noexcept {
  const seam::Lock lock(mutex_);
  take_turn();
  std::erase(followers_, &follower);
  end_turn();
}

void Timekeeper::begin() noexcept {
  const seam::Lock lock(mutex_);
  ++active_;
  ++begun_;
}

bool Timekeeper::end() noexcept {
  bool has_woken = false;
  {
    const seam::Lock lock(mutex_);
    SKUA_ASSERT(active_ != 0);
    // If somebody has the turn, what has begun since makes him ask again.
    if (--active_ != 0 || is_turn_taken_ || !passes_by_itself()) return false;
    is_turn_taken_ = true;
  }
  let_time_pass(has_woken);
  return has_woken;
}

void Timekeeper::let_time_pass(bool& has_woken) noexcept {
  for (;;) {
    std::uint64_t seen = 0;
    {
      const seam::Lock lock(mutex_);
      if (has_woken) {
        ++active_;
        ++begun_;
      }
      if (active_ != 0 || !passes_by_itself()) return end_turn();
      seen = begun_;
    }
    has_woken = wake_all_ready();
    if (has_woken) continue;
    const Instant next = first_of_all();
    const seam::Lock lock(mutex_);
    if (begun_ != seen) continue;
    if (next == Instant::max() || next - now_ > never) return end_turn();
    now_ = std::max(now_, next);
  }
}

bool Timekeeper::wake_all_ready() {
  bool has_woken = false;
  for (Follower* const follower : followers_) has_woken = follower->wake_ready() || has_woken;
  return has_woken;
}

Instant Timekeeper::first_of_all() {
  Instant first = Instant::max();
  for (Follower* const follower : followers_) first = std::min(first, follower->first_deadline());
  return first;
}

void Timekeeper::tell_all() noexcept {
  for (Follower* const follower : followers_) follower->look_again();
}

void Timekeeper::pause() {
  {
    const seam::Lock lock(mutex_);
    if (is_paused_) return;
    now_ = time();
    is_paused_ = true;
  }
  begin();
  release();  // perhaps nobody is active
}

void Timekeeper::resume() {
  begin();  // until pause(), if it comes meanwhile, can let time pass
  {
    const seam::Lock lock(mutex_);
    take_turn();
    ahead_ = time() - seam::now();
    is_paused_ = false;
  }
  tell_all();
  give_back_turn();
  release();
}

void Timekeeper::set_auto_advance(bool on) {
  {
    const seam::Lock lock(mutex_);
    auto_advance_ = on;
  }
  begin();
  release();  // as in pause()
}

void Timekeeper::advance(Duration by) {
  begin();  // it does not pass by itself meanwhile
  Instant target;
  {
    const seam::Lock lock(mutex_);
    take_turn();
    target = saturating_add(time(), by);
    if (!is_paused_) ahead_ += target - time();
  }
  for (Instant next = first_of_all(); next <= target && next != Instant::max(); next = first_of_all()) {
    move_to(next);
    wake_all_ready();
  }
  move_to(target);
  tell_all();
  give_back_turn();
  release();
}

void Timekeeper::move_to(Instant instant) {
  const seam::Lock lock(mutex_);
  if (is_paused_) now_ = std::max(now_, instant);
}

void Timekeeper::give_back_turn() {
  const seam::Lock lock(mutex_);
  end_turn();
}

}  // namespace skua
