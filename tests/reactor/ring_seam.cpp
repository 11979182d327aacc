#include "ring_seam.hpp"

#include <skua/reactor/ring.hpp>

#include <liburing.h>

#include <cerrno>

// The production bodies, under another name.
namespace skua::reactor::real_ring {
using ring::Completion;
}
#define ring real_ring
#include <skua/reactor/ring.cpp>
#undef ring

namespace skua::reactor {

RingScript ring_script;
std::atomic<int> ring_faults{0};
std::atomic<bool> ring_is_slow{false};

namespace ring {

namespace {

// What lies between the kernel's head and our tail has not been taken.
void hand_to_kernel_threads(io_uring& ring) noexcept {
  for (unsigned i = IO_URING_READ_ONCE(*ring.sq.khead); i != ring.sq.sqe_tail; ++i) {
    io_uring_sqe& entry = ring.sq.sqes[i & ring.sq.ring_mask];
    if (entry.opcode != IORING_OP_ASYNC_CANCEL) entry.flags |= IOSQE_ASYNC;
  }
}

}  // namespace

int set_up(io_uring& ring, unsigned entries, io_uring_params& params) noexcept {
  if (ring_script.set_up_error != 0) return ring_script.set_up_error;
  return real_ring::set_up(ring, entries, params);
}
void tear_down(io_uring& ring) noexcept { real_ring::tear_down(ring); }
int enable(io_uring& ring) noexcept { return real_ring::enable(ring); }
int limit_threads(io_uring& ring, unsigned most) noexcept { return real_ring::limit_threads(ring, most); }
int notify(io_uring& ring, int eventfd) noexcept { return real_ring::notify(ring, eventfd); }
int probe(io_uring& ring, std::bitset<256>& supported) noexcept { return real_ring::probe(ring, supported); }

int submit(io_uring& ring) noexcept {
  // The poller's ring has the same seam and is left alone: it is the one that is enabled late.
  const bool is_pollers = (ring.flags & IORING_SETUP_R_DISABLED) != 0;
  if (!is_pollers && ring_script.submissions_to_refuse > 0) {
    --ring_script.submissions_to_refuse;
    ++ring_script.refused;
    return ring_script.submit_error;
  }
  if (!is_pollers && ring_is_slow.load()) hand_to_kernel_threads(ring);
  return real_ring::submit(ring);
}
int wait(io_uring& ring, std::optional<Duration> timeout) noexcept { return real_ring::wait(ring, timeout); }
bool keeps_some_back(const io_uring& ring) noexcept { return real_ring::keeps_some_back(ring); }
bool has_overflowed(const io_uring& ring) noexcept { return real_ring::has_overflowed(ring); }
int fetch(io_uring& ring) noexcept { return real_ring::fetch(ring); }

std::size_t take(io_uring& ring, std::span<Completion> into) noexcept {
  const std::size_t count = real_ring::take(ring, into);
  const bool is_pollers = (ring.flags & IORING_SETUP_R_DISABLED) != 0;
  for (Completion& completion : into.first(count)) {
    if (completion.result == -EFAULT) ring_faults.fetch_add(1);
    if (is_pollers || ring_script.results_to_replace == 0 || completion.result < 0) continue;
    --ring_script.results_to_replace;
    completion.result = ring_script.result;
  }
  return count;
}

}  // namespace ring
}  // namespace skua::reactor
