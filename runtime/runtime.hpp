// Runtime: owns the worker threads and the reactor thread.
//
//   int main() {
//     skua::Runtime runtime;                       // as many workers as processors
//     return runtime.block_on(serve());
//   }
//
// Destroying it ends every task at the await where it waits, destroys their futures on worker threads, joins all
// threads, and returns; a task that never comes to an await is waited for. Not to be destroyed on a worker.
#pragma once

#include <skua/builder.hpp>
#include <skua/core/budget.hpp>
#include <skua/core/future.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/wake.hpp>
#include <skua/handle.hpp>
#include <skua/scheduler/thread_parker.hpp>

#include <source_location>
#include <utility>

namespace skua::reactor {
class Driver;
}

namespace skua {

/// What a thread sleeps in during block_on().
struct BlockedThread : RefCounted<BlockedThread> {
  explicit BlockedThread(Ref<Timekeeper> keeper) noexcept : parker(std::move(keeper)) {}
  void wake() noexcept { parker.unpark(); }
  scheduler::ThreadParker parker;
};

/// Makes the calling thread part of a runtime; refuses a second one, and workers.
class BlockOnScope {
 public:
  explicit BlockOnScope(const Ref<RuntimeCore>& core);
  ~BlockOnScope();
  BlockOnScope(const BlockOnScope&) = delete;
  BlockOnScope& operator=(const BlockOnScope&) = delete;
  /// Null if the runtime's time is real.
  const Ref<Timekeeper>& keeper() const noexcept;

 private:
  const Ref<RuntimeCore> core_;  // stays, even if another thread destroys the Runtime meanwhile
  reactor::Driver* before_driver_;
};

class Runtime {
 public:
  /// Builder().build().value(): throws std::system_error if the system refuses, std::invalid_argument never.
  Runtime();
  explicit Runtime(Ref<RuntimeCore> core) noexcept;
  Runtime(Runtime&& other) noexcept;
  Runtime& operator=(Runtime&& other) noexcept;
  ~Runtime();

  /// Runs `future` on the calling thread, which sleeps while it waits; tasks that it spawns run on the workers. Returns
  /// its output, throws what it throws. On a worker, or inside of another block_on(), it ends the program: that thread
  /// must not sleep. Any other thread; several at once are fine.
  template <Future F>
  Output<F> block_on(F future) {
    const BlockOnScope scope(core_);
    F polled(std::move(future));  // destroyed inside of the scope: what it cancels may spawn
    const auto thread = make_ref<BlockedThread>(scope.keeper());
    const Waker waker = make_waker(thread);
    Context context(waker);
    for (;;) {
      {
        const budget::Grant grant(
            budget::per_poll);  // as on a worker: a timeout around what is always ready must get its turn
        auto result = polled.poll(context);
        if (result.is_ready()) return std::move(result).take();
      }
      thread->parker.park();
    }
  }

  /// Starts a task; see Handle::spawn().
  template <Future F>
  JoinHandle<Output<F>> spawn(F future, std::source_location at = std::source_location::current()) {
    return handle().spawn(std::move(future), at);
  }

  Handle handle() const noexcept;

 private:
  Ref<RuntimeCore> core_;
};

}  // namespace skua
