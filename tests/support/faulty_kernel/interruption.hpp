// A signal that interrupts the next system call of this thread which repeats itself: see core/kernel.cpp, restarting().
#pragma once

#include <cerrno>

namespace skua::tests {

class Interruption {
 public:
  /// The next interruptible call of this thread is interrupted, while the object lives.
  Interruption() noexcept;
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  /// False: there was no such call.
  bool has_struck() const noexcept;

  /// True, once, if the call that asks is to be interrupted.
  static bool strikes() noexcept;
};

template <class Call>
auto interruptible(Call& call) noexcept -> decltype(call()) {
  if (Interruption::strikes()) {
    errno = EINTR;
    return -1;
  }
  return call();
}

}  // namespace skua::tests
