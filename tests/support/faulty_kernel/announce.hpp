// News that a fault has promised.
#pragma once

namespace skua::tests {

/// Whoever was told that a call on `fd` would block, or that it took no more, waits for the kernel's word that it is
/// ready again. If that was a fault's lie the kernel has no reason to say so. This makes it: every epoll instance and
/// every ring that watches `fd` reports its present state once more. Nothing happens for a descriptor that nobody
/// watches yet: the watch begins with its state.
void announce_readiness(int fd);

// Its two halves
void announce_to_epoll(int fd);
void announce_to_rings(int fd);

}  // namespace skua::tests
