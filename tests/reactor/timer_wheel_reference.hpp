// A timer wheel beside a sorted map that says what it must do: for the wheel's test and its fuzzer.
#pragma once

#include <skua/reactor/timer_wheel.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace skua::reactor::tests {

inline constexpr Duration tick{1 << TimerWheel::tick_shift};
inline const Instant origin{std::chrono::hours(1000)};

/// The first instant at which a wheel may fire a timer of `deadline`, and must.
inline Instant due_at(Instant deadline) {
  if (deadline <= origin) return origin;
  return origin + (deadline - origin + tick - Duration(1)) / tick * tick;
}

/// A timer whose waker says which it is.
struct Timer {
  Timer() = default;
  TimerEntry entry;
  std::multimap<Instant, Timer*>::iterator place;
  int fired = 0;
};
inline constexpr WakerVtable timer_waker{
    .clone = [](void*) {},
    .wake = [](void* data) { ++static_cast<Timer*>(data)->fired; },
    .wake_by_ref = [](void*) {},
    .drop = [](void*) {},
};

/// A wheel and its reference, which must agree after every step.
class Wheels {
 public:
  explicit Wheels(std::size_t timers) : timers_(timers) {
    for (auto& timer : timers_) timer = std::make_unique<Timer>();
    for (auto& timer : timers_) timer->place = reference_.end();
  }
  ~Wheels() {
    for (auto& timer : timers_) wheel_.remove(timer->entry);
  }

  std::size_t count() const { return timers_.size(); }
  Instant now() const { return now_; }
  bool is_armed(std::size_t i) const { return timers_[i]->place != reference_.end(); }

  void arm(std::size_t i, Instant deadline) {
    Timer& timer = *timers_[i];
    wheel_.insert(timer.entry, deadline, Waker(&timer, &timer_waker));
    timer.place = reference_.emplace(due_at(deadline), &timer);  // in the past: due at the next advance()
  }
  void cancel(std::size_t i) {
    Timer& timer = *timers_[i];
    wheel_.remove(timer.entry);
    reference_.erase(std::exchange(timer.place, reference_.end()));
  }

  /// False: wheel and reference disagree.
  [[nodiscard]] bool advance(Instant to, std::size_t limit) {
    now_ = std::max(now_, to);  // to the wheel, too, time that goes back stands still
    for (bool more = true; more;) {
      std::vector<Waker> woken;
      more = wheel_.advance(to, woken, limit);
      if (woken.size() > limit) return false;
      for (Waker& waker : woken) std::move(waker).wake();
      if (more && woken.empty()) return false;
    }
    const auto end = reference_.upper_bound(now_);
    std::size_t expected = 0;
    for (auto it = reference_.begin(); it != end; ++it, ++expected) {
      Timer& timer = *it->second;
      if (std::exchange(timer.fired, 0) != 1 || !timer.entry.has_fired()) return false;  // due, but did not fire
      timer.place = reference_.end();
    }
    reference_.erase(reference_.begin(), end);
    for (const auto& [due, timer] : reference_) {
      if (reference_.size() > 64) break;  // all of them is too slow; what fired early is found when its time comes
      if (timer->fired != 0) return false;
    }
    if (const auto next = wheel_.next_deadline(); next && *next <= now_) return false;  // who trusts it would spin
    return wheel_.size() == reference_.size();
  }

  /// Fires everything, due or not. False: not everything.
  [[nodiscard]] bool fire_all() {
    std::vector<Waker> woken;
    wheel_.fire_all(woken);
    for (Waker& waker : woken) std::move(waker).wake();
    bool all_fired = woken.size() == reference_.size() && wheel_.size() == 0;
    for (const auto& [due, timer] : reference_) {
      all_fired = all_fired && std::exchange(timer->fired, 0) == 1 && timer->entry.has_fired();
      timer->place = reference_.end();
    }
    reference_.clear();
    return all_fired && !wheel_.next_deadline();
  }

  /// A sleeper that trusts next_deadline() is never late: it is not after the first timer.
  [[nodiscard]] bool next_deadline_is_in_time() const {
    const auto next = wheel_.next_deadline();
    if (reference_.empty()) return !next.has_value();
    return next && *next <= std::max(reference_.begin()->first, now_);
  }
  std::optional<Instant> next_deadline() const { return wheel_.next_deadline(); }

 private:
  TimerWheel wheel_{origin};
  Instant now_ = origin;
  std::multimap<Instant, Timer*> reference_;
  std::vector<std::unique_ptr<Timer>> timers_;
};

}  // namespace skua::reactor::tests
