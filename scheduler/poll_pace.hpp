// PollPace: how many tasks a busy worker runs before it looks elsewhere: at its driver, and at the inject queue.
//
// A look costs up to a system call, so tasks of a microsecond should share it; behind tasks of a millisecond an event
// must not wait for sixty of them. So the intervals follow the mean duration of a poll, measured from look to look:
// some 500 µs between two looks at the driver, some 200 µs between two at the inject queue, in tasks.
//
// Thread safety: none; a worker has its own.
#pragma once

#include <skua/core/clock.hpp>

#include <algorithm>
#include <cstdint>

namespace skua::scheduler {

class PollPace {
 public:
  explicit PollPace(Instant now) noexcept : measured_from_(now) {}

  /// Before each task. True: look at the driver first.
  bool is_time_to_look() noexcept { return ++tasks_since_look_ >= look_interval_; }
  /// Before each task. True: ask the inject queue before the worker's own.
  bool is_time_to_inject() noexcept {
    if (++tasks_since_inject_ < inject_interval_) return false;
    tasks_since_inject_ = 0;
    return true;
  }

  /// The worker has looked at its driver.
  void looked(Instant now) noexcept {
    const Duration measured = (now - measured_from_) / std::max(tasks_since_look_, 1u);
    mean_poll_ += (measured - mean_poll_) / 8;
    look_interval_ = interval(std::chrono::microseconds(500), most_between_looks);
    inject_interval_ = interval(std::chrono::microseconds(200), most_between_injects);
    restart(now);
  }
  /// The worker has slept, and looked at its driver: the time since the last look says nothing of its tasks.
  void restart(Instant now) noexcept {
    measured_from_ = now;
    tasks_since_look_ = 0;
  }

  /// Moving average, from look to look.
  Duration mean_poll() const noexcept { return mean_poll_; }
  std::uint32_t look_interval() const noexcept { return look_interval_; }
  std::uint32_t inject_interval() const noexcept { return inject_interval_; }

 private:
  static constexpr std::uint32_t most_between_looks = 61;
  static constexpr std::uint32_t most_between_injects = 31;
  static constexpr std::uint32_t fewest = 2;

  std::uint32_t interval(Duration wanted, std::uint32_t most) const noexcept {
    const Duration::rep tasks = wanted / std::max(mean_poll_, Duration(1));
    return static_cast<std::uint32_t>(std::clamp<Duration::rep>(tasks, fewest, most));
  }

  Instant measured_from_;
  Duration mean_poll_{0};
  std::uint32_t tasks_since_look_ = 0;
  std::uint32_t tasks_since_inject_ = 0;
  std::uint32_t look_interval_ = most_between_looks;
  std::uint32_t inject_interval_ = most_between_injects;
};

}  // namespace skua::scheduler
