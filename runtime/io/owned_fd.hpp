// OwnedFd: a descriptor that is closed when its owner goes.
//
// Invariant: it owns one descriptor, or none (-1: moved from, released, or made so).
// Thread safety: as an int; one thread at a time.
#pragma once

#include <skua/core/kernel.hpp>

#include <utility>

namespace skua {

class OwnedFd {
 public:
  /// None.
  OwnedFd() noexcept = default;
  /// Takes over `fd`, which nobody else may close from now on. Negative: none.
  explicit OwnedFd(int fd) noexcept : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(other.release()) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    OwnedFd old(std::exchange(fd_, other.release()));
    return *this;
  }
  ~OwnedFd() {
    if (fd_ >= 0) kernel::close(fd_);
  }

  /// The descriptor, still owned; -1 if there is none.
  int get() const noexcept { return fd_; }
  /// Gives the descriptor away: the caller closes it. -1 if there is none.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

}  // namespace skua
