// ReserveDescriptor: one descriptor of the process, kept free for turning connections away when no other is left.
//
// Without one, a process that is out of descriptors cannot even close a connection that waits in a listener's queue:
// its client hangs until it loses patience. With it, the connection is accepted in the reserve's place and closed at
// once.
//
// Each listener holds a ReserveDescriptor: the first opens the descriptor (of "/", which is always there), the last
// closes it. Where it cannot be opened, or another thread was quicker while it was given up for a moment, there is none
// until the next attempt.
// Thread safety: all of it.
#pragma once

#include <cstddef>

namespace skua {

class ReserveDescriptor {
 public:
  ReserveDescriptor() noexcept;
  ReserveDescriptor(ReserveDescriptor&&) noexcept : ReserveDescriptor() {}
  ReserveDescriptor& operator=(ReserveDescriptor&&) noexcept { return *this; }
  ~ReserveDescriptor();

  /// Accepts and closes what waits at `listener`, at most `most` connections, and no more once there is a descriptor.
  static void turn_away(int listener, std::size_t most) noexcept;
};

}  // namespace skua
