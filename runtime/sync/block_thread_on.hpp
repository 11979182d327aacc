// block_thread_on(): waits for a future on a thread that runs no tasks: what the blocking forms of the primitives are.
//
// The thread sleeps until the future is ready. On a thread that polls tasks it would hold up the tasks behind it, and
// may wait for one of them: that fails at once.
#pragma once

#include <skua/core/assert.hpp>
#include <skua/core/budget.hpp>
#include <skua/core/context.hpp>
#include <skua/core/future.hpp>
#include <skua/core/mutex.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/wake.hpp>

#include <type_traits>

namespace skua::sync {

/// A thread that sleeps until it is woken, however long before that was.
class SleepingThread : public RefCounted<SleepingThread> {
 public:
  void sleep() {
    const seam::Lock lock(mutex_);
    while (!woken_) changed_.wait(mutex_);
    woken_ = false;
  }
  void wake() noexcept {
    {
      const seam::Lock lock(mutex_);
      woken_ = true;
    }
    changed_.notify_one();
  }

 private:
  seam::Mutex mutex_;
  seam::Condvar changed_;
  bool woken_ SKUA_GUARDED_BY(mutex_) = false;
};

template <class F>
Output<F> block_thread_on(F future) {
  if (budget::remaining() != budget::unlimited) {
    fail_fast("a blocking form was called inside of a task, which would hold up the others of its thread",
              "Await the form without _blocking");
  }
  const auto thread = make_ref<SleepingThread>();
  const Waker waker = make_waker(thread);
  Context context(waker);
  for (;;) {
    auto result = future.poll(context);
    if (result.is_ready()) return std::move(result).take();
    thread->sleep();
  }
}

}  // namespace skua::sync
