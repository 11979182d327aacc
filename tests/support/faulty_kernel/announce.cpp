#include "announce.hpp"

#include "late_completions.hpp"

namespace skua::tests {

void announce_readiness(int fd) {
  announce_to_epoll(fd);
  if (LateCompletions::are_possible()) announce_to_rings(fd);
}

}  // namespace skua::tests
