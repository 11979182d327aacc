#include <skua/options.hpp>
#include <skua/worker_count.hpp>

#include <algorithm>
#include <string>
#include <system_error>

namespace skua {

Result<void> WorkerCount::set(std::uint32_t count) {
  if (count < 1 || count > scheduler_.workers()) {
    return Error(
        std::errc::invalid_argument, "set_workers",
        std::to_string(count) + " (allowed are 1 to workers_limit, " + std::to_string(scheduler_.workers()) + ")");
  }
  const seam::Lock lock(mutex_);
  follows_quota_ = false;
  scheduler_.set_active_workers(count);
  return {};
}

void WorkerCount::follow_quota(Instant now) {
  if (now < next_look_) return;
  next_look_ = now + between_looks;
  const seam::Lock lock(mutex_);
  if (!follows_quota_) return;
  const std::uint32_t count = std::min(available_parallelism(), scheduler_.workers());
  if (count != scheduler_.active_workers()) scheduler_.set_active_workers(count);
}

}  // namespace skua
