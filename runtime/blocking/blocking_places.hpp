// BlockingPlaces: how many functions of spawn_blocking() may wait for a thread; the number can change. Private.
//
// Invariant: the places that are free or taken are as many as there shall be, plus `surplus_`. One that comes back
// while there is a surplus is gone for good. Any thread.
#pragma once

#include <skua/core/mutex.hpp>
#include <skua/sync/semaphore.hpp>

#include <cstddef>

namespace skua {

class BlockingPlaces {
 public:
  explicit BlockingPlaces(std::size_t count) : admission_(count), count_(count) {}

  /// A permit is a place; it comes back by give_back(), or by the semaphore's own hand if it was never used.
  Semaphore& admission() noexcept { return admission_; }
  void give_back();
  void resize(std::size_t count);

 private:
  Semaphore admission_;
  seam::Mutex mutex_;
  std::size_t count_ SKUA_GUARDED_BY(mutex_);
  std::size_t surplus_ SKUA_GUARDED_BY(mutex_) = 0;
};

}  // namespace skua
