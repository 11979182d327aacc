// The cooperative budget: how much a task may do before it must let others run.
//
// Operations that are ready at once never suspend, so a task that finds data each time it looks would hold its
// worker for ever. The scheduler therefore grants each poll a number of units; every leaf operation takes one,
// and when none is left it reports pending and wakes its task, which goes to the end of the queue.
//
// Units are not alike: 128 reads of 64 KiB take milliseconds. So the units that are left are also taken away when a
// poll has gone on for longer than `slice`. A look at the clock costs some 40 ns, as much as the cheapest operations:
// there is one for every eight units, and none at all in a poll that takes fewer.
#pragma once

#include <skua/core/clock.hpp>
#include <skua/core/context.hpp>

#include <cstdint>

namespace skua::budget {

inline constexpr std::uint32_t units_per_look = 8;
inline constexpr std::uint32_t per_poll = 127;  // one less than a multiple, so that a poll does not begin with a look
inline constexpr std::uint32_t unlimited = ~std::uint32_t{0} / units_per_look * units_per_look;  // see take()
inline constexpr Duration slice = std::chrono::milliseconds(1);

/// Takes a unit. False when none is left: the waker has been called, the leaf returns `pending`.
[[nodiscard]] bool take(Context& context) noexcept;

/// Gives back the unit that take() took: the leaf made no progress. Nothing when remaining() is 0: see budget.cpp.
void give_back() noexcept;

/// Grants this thread `units`, and a new slice of time, until the next call. For workers, poll after poll.
void refill(std::uint32_t units) noexcept;

/// Grants this thread `units`, and a new slice of time, until the object is destroyed; then what was there before.
class Grant {
 public:
  explicit Grant(std::uint32_t units) noexcept;
  ~Grant();
  Grant(const Grant&) = delete;
  Grant& operator=(const Grant&) = delete;

 private:
  std::uint32_t units_before_;
  Instant start_before_;
};

/// Units left on this thread. Outside of the scheduler: `unlimited`.
std::uint32_t remaining() noexcept;

}  // namespace skua::budget
