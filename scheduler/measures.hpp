// Measures: what a scheduler measures although it takes looks at the clock.
#pragma once

#include <cstdint>

namespace skua::scheduler {

struct Measures {
  Measures() = default;
  Measures(std::uint32_t every, bool latency) noexcept : timed_poll_every(every), schedule_latency(latency) {}
  std::uint32_t timed_poll_every = 0;  // each n-th poll of a worker is timed; 0: none
  bool schedule_latency = false;       // of each task, from wake or spawn to poll
};

}  // namespace skua::scheduler
