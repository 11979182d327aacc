#include <skua/reactor/ring.hpp>

#include <liburing.h>

#include <algorithm>
#include <array>
#include <new>

namespace skua::reactor::ring {

namespace {

unsigned fd_of(const io_uring& ring) noexcept { return static_cast<unsigned>(ring.ring_fd); }

}  // namespace

int set_up(io_uring& ring, unsigned entries, io_uring_params& params) noexcept {
  const int error = io_uring_queue_init_params(entries, &ring, &params);
  if (error < 0) return error;
  io_uring_ring_dontfork(&ring);
  return 0;
}

void tear_down(io_uring& ring) noexcept { io_uring_queue_exit(&ring); }

// Not io_uring_enable_rings(): liburing 2.3 declares it without exporting it.
int enable(io_uring& ring) noexcept { return io_uring_register(fd_of(ring), IORING_REGISTER_ENABLE_RINGS, nullptr, 0); }

int limit_threads(io_uring& ring, unsigned most) noexcept {
  unsigned bounded_and_unbounded[2] = {most, most};
  return io_uring_register_iowq_max_workers(&ring, bounded_and_unbounded);
}

int notify(io_uring& ring, int eventfd) noexcept { return io_uring_register_eventfd(&ring, eventfd); }

int probe(io_uring& ring, std::bitset<256>& supported) noexcept {
  supported.reset();
  constexpr unsigned most = 256;
  alignas(io_uring_probe) std::array<std::byte, sizeof(io_uring_probe) + most * sizeof(io_uring_probe_op)> room{};
  auto* const answer = ::new (room.data()) io_uring_probe{};
  const int error = io_uring_register_probe(&ring, answer, most);
  if (error < 0) return error;
  for (unsigned i = 0; i < answer->ops_len; ++i) {
    if ((answer->ops[i].flags & IO_URING_OP_SUPPORTED) != 0) supported.set(answer->ops[i].op);
  }
  return 0;
}

int submit(io_uring& ring) noexcept { return io_uring_submit(&ring); }

int wait(io_uring& ring, std::optional<Duration> timeout) noexcept {
  __kernel_timespec time{};
  io_uring_getevents_arg argument{};
  if (timeout) {
    const auto ns = std::max<Duration::rep>(timeout->count(), 0);
    time.tv_sec = ns / 1'000'000'000;
    time.tv_nsec = ns % 1'000'000'000;
    argument.ts = reinterpret_cast<std::uintptr_t>(&time);
  }
  return io_uring_enter2(fd_of(ring), 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
                         reinterpret_cast<sigset_t*>(&argument), sizeof argument);
}

bool keeps_some_back(const io_uring& ring) noexcept {
  return (IO_URING_READ_ONCE(*ring.sq.kflags) & (IORING_SQ_CQ_OVERFLOW | IORING_SQ_TASKRUN)) != 0;
}

bool has_overflowed(const io_uring& ring) noexcept {
  return (IO_URING_READ_ONCE(*ring.sq.kflags) & IORING_SQ_CQ_OVERFLOW) != 0;
}

int fetch(io_uring& ring) noexcept { return io_uring_enter(fd_of(ring), 0, 0, IORING_ENTER_GETEVENTS, nullptr); }

std::size_t take(io_uring& ring, std::span<Completion> into) noexcept {
  unsigned head = 0;
  unsigned count = 0;
  io_uring_cqe* completion = nullptr;
  io_uring_for_each_cqe(&ring, head, completion) {
    if (count == into.size()) break;
    into[count++] = {completion->user_data, completion->res, completion->flags};
  }
  io_uring_cq_advance(&ring, count);
  return count;
}

}  // namespace skua::reactor::ring
