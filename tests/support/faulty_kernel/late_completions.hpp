// Completions that were taken out of a ring's queue and are posted to it again later, by another ring (MSG_RING):
// whoever waits for the ring wakes as for any other completion.
#pragma once

#include <skua/core/clock.hpp>
#include <skua/reactor/ring.hpp>

namespace skua::tests {

class LateCompletions {
 public:
  /// Whether this kernel can do it (Linux 6.3).
  static bool are_possible();

  /// Posts `completion` to the ring `fd` after `delay`, and not before those posted earlier.
  static void post(int fd, const reactor::ring::Completion& completion, Duration delay);
  /// True if `completion` is one that was posted: it is then what it was.
  static bool restore(reactor::ring::Completion& completion);
  /// Whether some are to come for this request.
  static bool are_expected(int fd, std::uint64_t user_data);
  /// The ring goes away.
  static void forget(int fd);
};

}  // namespace skua::tests
