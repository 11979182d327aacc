// Runtime: owns the worker threads and the reactor thread.
//
//   int main() {
//     skua::Runtime runtime;                       // as many workers as processors
//     return runtime.block_on(serve());
//   }
//
// Destroying it ends every task at the await where it waits, destroys their futures on worker threads, joins all
// threads, and returns; a task that never comes to an await is waited for. shutdown() waits no longer than it is told,
// and says what it did not wait for. Neither on a worker.
//
// A current-thread runtime (Builder::current_thread()) has no threads, but for functions that block: tasks run on the
// thread that is inside of block_on() or run_once(), and on none at other times. They are made from any thread, and are
// no different from others. There may be many runtimes of both forms in a process; a future waits for I/O and time in
// the runtime that polls it first, and may be woken from any.
#pragma once

#include <skua/builder.hpp>
#include <skua/core/budget.hpp>
#include <skua/core/clock.hpp>
#include <skua/core/future.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/waker.hpp>
#include <skua/handle.hpp>
#include <skua/shutdown_report.hpp>

#include <memory>
#include <optional>
#include <source_location>
#include <string_view>
#include <utility>

namespace skua {

/// Makes the calling thread part of a runtime; refuses a second one, and workers.
class BlockOnScope {
 public:
  explicit BlockOnScope(const Ref<RuntimeCore>& core);
  ~BlockOnScope();
  BlockOnScope(const BlockOnScope&) = delete;
  BlockOnScope& operator=(const BlockOnScope&) = delete;

  Waker waker() const noexcept;
  /// Until the waker has been woken: sleeps, or runs tasks.
  void wait();

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
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
  /// On a current-thread runtime the tasks run on the calling thread too, meanwhile: one thread at a time, or the
  /// program ends.
  template <Future F>
  Output<F> block_on(F future) {
    BlockOnScope scope(core_);
    F polled(std::move(future));  // destroyed inside of the scope: what it cancels may spawn
    const Waker waker = scope.waker();
    Context context(waker);
    for (;;) {
      {
        const budget::Grant grant(
            budget::per_poll);  // as on a worker: a timeout around what is always ready must get its turn
        auto result = polled.poll(context);
        if (result.is_ready()) return std::move(result).take();
      }
      scope.wait();
    }
  }

  /// Starts a task; see Handle::spawn().
  template <Future F>
  JoinHandle<Output<F>> spawn(F future, std::source_location at = std::source_location::current()) {
    return handle().spawn(std::move(future), at);
  }

  Handle handle() const noexcept;
  /// Handle::metrics().
  Metrics metrics() const;

  /// Changes an option while the runtime works. Which can change, and what that does, is in docs/configuration.md, and
  /// said by `skua config explain`. Key and value as for Options::set(). Any thread, tasks too. Errors: the key needs a
  /// restart (operation_not_supported); it is locked (operation_not_permitted); there is no such key or value
  /// (invalid_argument). Nothing has changed then.
  Result<void> reconfigure(std::string_view key, std::string_view value);

  /// Ends the runtime in this order, within `limit`:
  ///   1. For `grace` at most, tasks may end by themselves. (So tell them to, by a CancellationToken of theirs.)
  ///   2. Those that are left are destroyed at the await where they wait. From here on spawns are refused.
  ///   3. Functions that block, and requests to the kernel for files, are waited for if they have begun.
  /// The report names tasks that did not end in 1, and what had not ended when the time was over: a poll, or a function
  /// that blocks, cannot be ended from outside. Its thread then goes on, with what it needs of the runtime, and the
  /// rest of the shutdown follows when it returns. On a current-thread runtime this thread runs the tasks in 1.
  /// Afterwards the object is good for being destroyed, which does not wait any more. As ~Runtime() not on a thread
  /// that works for the runtime; once.
  ShutdownReport shutdown(Duration limit, Duration grace = Duration::zero());

  // Embedding: a current-thread runtime in a loop that waits in poll() or its like. On others the program ends.
  //
  //   while (true) {
  //     bool more = runtime.run_once();
  //     poll({.fd = fd, .events = POLLIN}, more ? 0 : until(runtime.next_deadline()));   // fd: of native_fd()
  //     ... what else the loop does
  //   }

  /// Wakes the tasks whose events and timers have come, and polls those that are ready, some 60 at most. Does not wait.
  /// True: there are more, call again soon. False: nothing to do until native_fd() is readable or next_deadline() has
  /// come; calling earlier does no harm. Not inside of a task.
  bool run_once();
  /// A descriptor that is readable when there is something to do after a first run_once(), and stays so until the next.
  /// Always the same, and the runtime's own. By the thread that calls run_once(). Errors: no descriptors left.
  Result<int> native_fd();
  /// When run_once() is to be called even though native_fd() is not readable. None: not by then. By the thread that
  /// calls run_once().
  std::optional<Instant> next_deadline() const noexcept;

 private:
  Ref<RuntimeCore> core_;
};

}  // namespace skua
