// The cooperative budget: how much a task may do before it must let others run.
//
// Operations that are ready at once never suspend, so a task that finds data each time it looks would hold its
// worker for ever. The scheduler therefore grants each poll a number of units; every leaf operation takes one,
// and when none is left it reports pending and wakes its task, which goes to the end of the queue.
#pragma once

#include <skua/core/context.hpp>

#include <cstdint>

namespace skua::budget {

inline constexpr std::uint32_t per_poll = 128;
inline constexpr std::uint32_t unlimited = ~std::uint32_t{0};

/// Takes a unit. False when none is left: the waker has been called, the leaf returns `pending`.
[[nodiscard]] bool take(Context& context) noexcept;

/// Gives back the unit that take() took: the leaf made no progress. Nothing when remaining() is 0: see budget.cpp.
void give_back() noexcept;

/// Grants this thread `units` until the object is destroyed; then what was there before.
class Grant {
 public:
  explicit Grant(std::uint32_t units) noexcept;
  ~Grant();
  Grant(const Grant&) = delete;
  Grant& operator=(const Grant&) = delete;

 private:
  std::uint32_t before_;
};

/// Units left on this thread. Outside of the scheduler: `unlimited`.
std::uint32_t remaining() noexcept;

}  // namespace skua::budget
