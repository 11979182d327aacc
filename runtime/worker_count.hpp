// WorkerCount: how many of a runtime's workers take tasks: what was asked for, or what the cgroup's quota allows now.
// Private.
//
// With workers_auto it follows the quota: the reactor thread has a look once a second, as long as any worker is awake;
// an idle process looks at nothing, and takes notice when it has something to do. Who sets a number ends that.
#pragma once

#include <skua/core/clock.hpp>
#include <skua/core/mutex.hpp>
#include <skua/scheduler/scheduler.hpp>

#include <cstdint>

namespace skua {

class WorkerCount {
 public:
  WorkerCount(scheduler::Scheduler& scheduler, bool follows_quota) noexcept
      : scheduler_(scheduler), follows_quota_(follows_quota) {}

  /// Any thread. `count` is what Options::workers may be: see Handle::set_workers().
  void set(std::uint32_t count);
  /// Reactor thread, now and then.
  void follow_quota(Instant now);

 private:
  static constexpr Duration between_looks = std::chrono::seconds(1);

  std::uint32_t within_quota() const;

  scheduler::Scheduler& scheduler_;
  seam::Mutex mutex_;
  bool follows_quota_ SKUA_GUARDED_BY(mutex_);
  Instant next_look_ = seam::now() + between_looks;  // reactor thread only
};

}  // namespace skua
