// ThreadParker: a parker that sleeps on a condition variable and knows of no events. Also what block_on() sleeps in.
#pragma once

#include <skua/core/mutex.hpp>
#include <skua/core/park_token.hpp>
#include <skua/core/timekeeper.hpp>
#include <skua/scheduler/parker.hpp>

#include <utility>

namespace skua::scheduler {

class ThreadParker : public Parker {
 public:
  ThreadParker() = default;
  /// `keeper`, if there is one, knows when the owner sleeps.
  explicit ThreadParker(Ref<Timekeeper> keeper) noexcept : keeper_(std::move(keeper)) {}

  void park() override {
    if (!token_.begin_sleep()) return;
    KnownSleep sleep(keeper_.get());
    if (!sleep.is_over()) {
      const seam::Lock lock(mutex_);
      while (!token_.is_notified()) condition_.wait(mutex_);
    }
    sleep.end(token_);
  }

  void look(std::size_t) override {}

  void on_lent() noexcept override {
    if (keeper_) keeper_->begin();
  }
  void on_lender_done() noexcept override {
    if (keeper_) keeper_->release();
  }

  void unpark() noexcept override {
    if (keeper_) keeper_->begin();
    if (!token_.wake()) {
      if (keeper_) keeper_->release();
      return;
    }
    // The lock closes the gap between the sleeper's check of the token and its wait.
    {
      const seam::Lock lock(mutex_);
    }
    condition_.notify_one();
  }

 private:
  const Ref<Timekeeper> keeper_;
  ParkToken token_;
  seam::Mutex mutex_;
  seam::Condvar condition_;
};

}  // namespace skua::scheduler
