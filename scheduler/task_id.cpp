#include <skua/core/atomic.hpp>
#include <skua/scheduler/task_id.hpp>

namespace skua::scheduler {

namespace {
constexpr std::uint64_t block = 256;
constinit seam::Atomic<std::uint64_t> next_block{1};
constinit thread_local std::uint64_t next = 0;
}  // namespace

std::uint64_t next_task_id() noexcept {
  // relaxed: numbers that differ are all that is asked for
  if (next % block == 0) next = next_block.fetch_add(1, std::memory_order_relaxed) * block;
  return next++;
}

}  // namespace skua::scheduler
