// Context: what a poll is given.
#pragma once

#include <skua/core/waker.hpp>

namespace skua {

class Context {
 public:
  /// `waker` must outlive the context.
  explicit Context(const Waker& waker) noexcept : waker_(&waker) {}

  /// The waker of the task being polled. Copy it to keep it beyond the poll.
  const Waker& waker() const noexcept { return *waker_; }

 private:
  const Waker* waker_;
};

}  // namespace skua
