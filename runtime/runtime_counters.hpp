// RuntimeCounters: what a runtime has in hand.
#pragma once

#include <cstddef>
#include <string>

namespace skua {

/// Of a moment that has passed, each number of another. All are zero once a runtime has been shut down.
struct RuntimeCounters {
  std::size_t tasks = 0;       // spawned and not ended
  std::size_t timers = 0;      // armed
  std::size_t sources = 0;     // descriptors that are watched, or that the kernel has not let go of
  std::size_t operations = 0;  // requests to io_uring that have not ended: files
  std::size_t blocking = 0;    // calls in the blocking pool, waiting or begun

  friend bool operator==(const RuntimeCounters&, const RuntimeCounters&) noexcept = default;
  /// "tasks 0, timers 0, sources 0, operations 0, blocking 0"
  std::string to_string() const;
};

}  // namespace skua
