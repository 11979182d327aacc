// BlockingMetrics: what the blocking pool has done, and has to do. See runtime/metrics.hpp.
#pragma once

#include <cstdint>

namespace skua {

struct BlockingMetrics {
  // Counted since the start
  std::uint64_t calls = 0;      // that have ended
  std::uint64_t withdrawn = 0;  // taken out before they began: nobody waited any longer
  std::uint64_t refused = 0;    // not done: the pool was closed, or the system had no thread left
  std::uint64_t threads_started = 0;
  // Of the moment
  std::uint64_t threads = 0;
  std::uint64_t idle_threads = 0;
  std::uint64_t queue_depth = 0;  // calls that wait for a thread
};

}  // namespace skua
