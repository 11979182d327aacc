// TimerFuture: a future written by hand. It knows no runtime: a thread of its own sleeps, then wakes who waits.
#pragma once

#include <skua/core/future.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

// docs:begin timer_future
/// Ready after `delay` with the number of times it was polled.
class TimerFuture {
 public:
  explicit TimerFuture(std::chrono::milliseconds delay) : delay_(delay) {}

  skua::Poll<int> poll(skua::Context& context) {
    const std::lock_guard lock(shared_->mutex);
    // A future does nothing before its first poll. The thread cannot complete it before this poll has left its waker.
    if (++polls_ == 1) std::thread(&sleep_and_wake, shared_, delay_).detach();
    if (shared_->completed) return polls_;
    shared_->waker = context.waker();  // of this poll: the one before may have been for another task
    return skua::pending;
  }

 private:
  struct Shared {
    std::mutex mutex;
    bool completed = false;
    skua::Waker waker;
  };

  static void sleep_and_wake(std::shared_ptr<Shared> shared, std::chrono::milliseconds delay) {
    std::this_thread::sleep_for(delay);
    skua::Waker waker;
    {
      const std::lock_guard lock(shared->mutex);
      shared->completed = true;
      waker = std::move(shared->waker);
    }
    std::move(waker).wake();  // with no lock held: the task may be polled at once
  }

  std::chrono::milliseconds delay_;
  int polls_ = 0;
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};
// docs:end
