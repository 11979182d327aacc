// The ring seam: every call that io_uring takes, as core/kernel.hpp is for the other system calls. Private.
//
// Results are >= 0 or -errno. The bodies are in ring.cpp alone, so that a test program can be linked with other ones:
// that refuse, take a part of what is submitted, end a multishot request, bring completions late or in another order.
// Requests are written into the queue directly: io_uring_get_sqe() and io_uring_prep_...() call nobody.
//
// Thread safety: none for one ring.
#pragma once

#include <skua/core/clock.hpp>

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

struct io_uring;
struct io_uring_params;

namespace skua::reactor::ring {

struct Completion {
  std::uint64_t user_data;
  std::int32_t result;
  std::uint32_t flags;
};

/// The ring's memory is not inherited by child processes.
int set_up(io_uring& ring, unsigned entries, io_uring_params& params) noexcept;
void tear_down(io_uring& ring) noexcept;
/// Of a ring that was set up disabled: the calling thread becomes its owner.
int enable(io_uring& ring) noexcept;
/// Of the kernel, for each thread that submits.
int limit_threads(io_uring& ring, unsigned most) noexcept;
/// From now on `eventfd` is written to when there is something to take, or to fetch. By the owner, if there is one.
int notify(io_uring& ring, int eventfd) noexcept;
/// Which operations the kernel has, by opcode.
int probe(io_uring& ring, std::bitset<256>& supported) noexcept;

/// How many requests the kernel has taken, perhaps not all.
int submit(io_uring& ring) noexcept;
/// Sleeps until a completion has come; -ETIME: `timeout` (none: never) has passed.
int wait(io_uring& ring, std::optional<Duration> timeout) noexcept;
/// The queue was full, or the kernel waits to be asked: there is more than is in the queue.
bool keeps_some_back(const io_uring& ring) noexcept;
/// The first of these.
bool has_overflowed(const io_uring& ring) noexcept;
/// Lets the kernel post what it has kept back; does not wait. -EBADR: it has dropped some, for want of memory.
int fetch(io_uring& ring) noexcept;
/// Takes completions out of the queue, in their order; returns how many.
std::size_t take(io_uring& ring, std::span<Completion> into) noexcept;

}  // namespace skua::reactor::ring
