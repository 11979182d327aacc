#include <skua/options.hpp>
#include <skua/worker_count.hpp>

#include <algorithm>

namespace skua {

void WorkerCount::set(std::uint32_t count) {
  const seam::Lock lock(mutex_);
  follows_quota_ = count == workers_auto;
  scheduler_.set_active_workers(follows_quota_ ? within_quota() : count);
}

void WorkerCount::follow_quota(Instant now) {
  if (now < next_look_) return;
  next_look_ = now + between_looks;
  const seam::Lock lock(mutex_);
  if (!follows_quota_) return;
  const std::uint32_t count = within_quota();
  if (count != scheduler_.active_workers()) scheduler_.set_active_workers(count);
}

std::uint32_t WorkerCount::within_quota() const { return std::min(available_parallelism(), scheduler_.workers()); }

}  // namespace skua
