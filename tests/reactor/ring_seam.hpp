// The ring seam with bodies of a test: the kernel's, which refuse when they are told to.
#pragma once

#include <atomic>

namespace skua::reactor {

/// What goes wrong next with rings that are not a poller's. One thread at a time.
struct RingScript {
  int set_up_error = 0;  // of every ring
  int submissions_to_refuse = 0;
  int submit_error = 0;
  int refused = 0;  // submissions so far
  int results_to_replace = 0;
  int result = 0;
};
extern RingScript ring_script;

/// Completions so far that say EFAULT: the kernel found no memory where it should write.
extern std::atomic<int> ring_faults;

/// Nothing is done at once, when it is submitted: threads of the kernel do all.
extern std::atomic<bool> ring_is_slow;

}  // namespace skua::reactor
