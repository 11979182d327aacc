// Monitor: sees to it that nothing waits for a worker that is stuck in one poll. Part of the reactor thread. Private.
//
// Once a millisecond, while any worker is awake, it compares each worker's pulse with what it was:
//   no look at its driver for two ticks  -> the driver is harvested: the woken tasks go to the others
//   in the same poll for two ticks       -> the task in its LIFO slot is moved to the inject queue, and a sleeper woken
// An event therefore waits at most some 3 ms for a stuck worker. With one worker there is nobody to hand anything to,
// and the monitor rests.
//
// It counts the polls that it sees going on for long, and how long the longest took, to a tick: no worker has to look
// at the clock for that.
//
// It costs nothing while all sleep: when ten ticks in a row find every worker asleep it stops, and the first worker to
// wake starts it again. No start is lost: a worker first counts itself awake, then reads `ticking_`; the monitor first
// clears `ticking_`, then counts the sleepers; all four in the one order of seq_cst.
#pragma once

#include <skua/core/atomic.hpp>
#include <skua/core/clock.hpp>
#include <skua/core/counter.hpp>
#include <skua/core/ref.hpp>
#include <skua/reactor/driver.hpp>
#include <skua/scheduler/scheduler.hpp>
#include <skua/worker_count.hpp>

#include <vector>

namespace skua {

class Monitor {
 public:
  /// `own` is the reactor thread's driver; `drivers[i]` worker i's (empty in ReactorMode::thread).
  Monitor(Ref<reactor::Driver> own, std::vector<Ref<reactor::Driver>> drivers);

  /// The scheduler to watch, and who sees to the number of its workers: before any thread is started.
  void watch(scheduler::Scheduler& scheduler, WorkerCount& worker_count);

  /// A worker's thread, which has just been counted as awake.
  void on_worker_awake() noexcept {
    // [MO1] seq_cst: read after the count, see above; pairs with [MO2].
    if (!ticking_.load(std::memory_order_seq_cst)) start();
  }

  // Any thread
  /// Polls of `worker` that went on for `stall` and more.
  std::uint64_t stalls(std::uint32_t worker) const noexcept { return observed_[worker].stalls.read(); }
  /// The longest poll that was seen; shorter than it was by two ticks at most. Zero: none of more than a tick.
  Duration longest_poll(std::uint32_t worker) const noexcept {
    return Duration(static_cast<Duration::rep>(observed_[worker].longest_poll.read()));
  }
  static constexpr Duration stall = std::chrono::milliseconds(100);

  // Reactor thread
  /// When tick() wants to be called; Instant::max() while it rests.
  Instant next_tick() const noexcept;
  /// Looks at the workers, if it is time.
  void tick(Instant now);

 private:
  static constexpr Duration period = std::chrono::milliseconds(1);
  static constexpr std::uint32_t ticks_until_stuck = 2;
  static constexpr std::uint32_t quiet_ticks_until_rest = 10;

  struct Watched {
    scheduler::WorkerPulse pulse{};
    std::uint32_t ticks_without_look = 0;
    std::uint32_t ticks_in_poll = 0;
    Instant in_poll_since{};
    bool is_stall = false;  // this poll has been counted
  };
  struct Observed {
    Counter stalls;
    Counter longest_poll;  // ns
  };

  void start() noexcept;
  void look_at(std::uint32_t worker, Instant now);
  void observe_poll(std::uint32_t worker, Instant now);
  void rest_if_quiet();

  // Constant after watch()
  const Ref<reactor::Driver> own_;
  const std::vector<Ref<reactor::Driver>> drivers_;
  scheduler::Scheduler* scheduler_ = nullptr;
  WorkerCount* worker_count_ = nullptr;
  // Reactor thread only
  std::vector<Watched> watched_;
  std::vector<Observed> observed_;  // written by it, read by any
  Instant next_{};  // the clock's beginning, not Instant::min(): the driver subtracts the present from it
  std::uint32_t quiet_ticks_ = 0;
  // Any thread
  seam::Atomic<bool> ticking_{true};
};

}  // namespace skua
