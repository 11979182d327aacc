// ThreadParker: a parker that sleeps on a condition variable and knows of no events. Also what block_on() sleeps in.
#pragma once

#include <skua/core/mutex.hpp>
#include <skua/core/park_token.hpp>
#include <skua/scheduler/parker.hpp>

namespace skua::scheduler {

class ThreadParker : public Parker {
 public:
  void park() override {
    if (!token_.begin_sleep()) return;
    {
      const seam::Lock lock(mutex_);
      while (!token_.is_notified()) condition_.wait(mutex_);
    }
    token_.end_sleep();
  }

  void look() override {}

  void unpark() noexcept override {
    if (!token_.wake()) return;
    // The lock closes the gap between the sleeper's check of the token and its wait.
    {
      const seam::Lock lock(mutex_);
    }
    condition_.notify_one();
  }

 private:
  ParkToken token_;
  seam::Mutex mutex_;
  seam::Condvar condition_;
};

}  // namespace skua::scheduler
