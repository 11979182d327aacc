// spawn_blocking(): a function that blocks, as a task of its own: it can be joined, aborted, named in a report.
//
//   auto scale = [image = std::move(image)]() mutable { return scaled(std::move(image)); };   // not in the await
//   itself JoinHandle<Image> scaling = co_await try_(spawn_blocking(std::move(scale)));              // waits for a
//   place
//   ...
//   Image small = (co_await scaling).value();
//
// It runs on a thread of the runtime's blocking pool. Functions that have been accepted and wait for a thread are
// limited in number (option blocking.queue): who spawns more waits, or is refused by try_spawn_blocking(). unblock() is
// for who only wants to await the function: it needs no place, because a future that waits is one already.
//
// Abort: a function that has not begun is never called; it is destroyed when its turn comes, and the join is cancelled
// then. One that has begun cannot be stopped: its output arrives as if nothing had happened.
// Shutdown: functions that have not begun are destroyed, those that have are waited for: Runtime::shutdown() names
// those that it did not wait for any longer. If the system has no thread left for the pool, and there is none yet, the
// join is cancelled.
#pragma once

#include <skua/core/future.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/result.hpp>
#include <skua/handle.hpp>
#include <skua/reactor/operation.hpp>
#include <skua/sync/semaphore.hpp>

#include <concepts>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>

namespace skua {

/// A function as a future, which calls it when it is polled, once.
template <class F>
class BlockingFuture {
 public:
  explicit BlockingFuture(F function) noexcept(std::is_nothrow_move_constructible_v<F>)
      : function_(std::move(function)) {}

  Poll<std::invoke_result_t<F&>> poll(Context&) {
    if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
      function_();
      return ready;
    } else {
      return function_();
    }
  }

 private:
  F function_;
};

namespace scheduler {
template <class F>
inline constexpr bool is_blocking_call<BlockingFuture<F>> = true;
}

/// A place among the functions that wait for a thread. Given back when a thread takes the function, or with this
/// object.
class BlockingPlace {
 public:
  /// Takes over a permit of the runtime's admission.
  explicit BlockingPlace(const Handle& runtime);
  /// `task` runs when its turn comes. Null: it has been refused.
  void give_to(scheduler::TaskHeader* task) && noexcept;

 private:
  class Entry;
  Ref<reactor::Operation> entry_;
};

/// A future of Result<JoinHandle<T>>: waits for a place.
template <class F>
class [[nodiscard]] SpawnBlocking {
 public:
  using T = std::invoke_result_t<F&>;

  SpawnBlocking(Handle runtime, F function, std::source_location at)
      : runtime_(std::move(runtime)),
        wait_(runtime_.blocking_admission(), 1),
        function_(std::move(function)),
        at_(at) {}

  Poll<Result<JoinHandle<T>>> poll(Context& context) {
    Poll<bool> got = wait_.poll(context);
    if (got.is_pending()) return pending;
    if (!got.value()) return Result<JoinHandle<T>>(Error(std::errc::operation_canceled, "spawn_blocking"));
    return Result<JoinHandle<T>>(start(runtime_, std::move(function_), at_));
  }

  /// Takes over a permit of the runtime's admission.
  static JoinHandle<T> start(const Handle& runtime, F function, std::source_location at) {
    BlockingPlace place(runtime);
    scheduler::TaskHeader* task = nullptr;
    auto handle = runtime.scheduler().spawn_blocking(BlockingFuture<F>(std::move(function)), at, std::string(), task);
    std::move(place).give_to(task);
    return handle;
  }

 private:
  Handle runtime_;
  Semaphore::Wait wait_;
  F function_;
  std::source_location at_;
};

/// Ready with a JoinHandle once there is a place for `function`, which must move without throwing. What it throws is
/// the exception of the JoinError. Under any executor. Errors: operation_canceled, the runtime has been shut down.
/// Cancel safety: dropped while it waits for a place, the function is not called.
template <class F>
  requires std::invocable<std::decay_t<F>&>
SpawnBlocking<std::decay_t<F>> spawn_blocking(const Handle& runtime, F&& function,
                                              std::source_location at = std::source_location::current()) {
  return {runtime, std::forward<F>(function), at};
}
/// The same on the runtime of this thread: on a worker, in block_on(), in a function that spawn_blocking() runs.
template <class F>
  requires std::invocable<std::decay_t<F>&>
SpawnBlocking<std::decay_t<F>> spawn_blocking(F&& function, std::source_location at = std::source_location::current()) {
  return {Handle::current(), std::forward<F>(function), at};
}

/// The same, now or not at all; any thread. Errors: resource_unavailable_try_again, there is no place, or others wait
/// for one; operation_canceled. The function is destroyed then.
template <class F>
  requires std::invocable<std::decay_t<F>&>
Result<JoinHandle<std::invoke_result_t<std::decay_t<F>&>>> try_spawn_blocking(
    const Handle& runtime, F&& function, std::source_location at = std::source_location::current()) {
  switch (runtime.blocking_admission().try_take(1)) {
    case Semaphore::Attempt::taken: break;
    case Semaphore::Attempt::would_block: return Error(std::errc::resource_unavailable_try_again, "spawn_blocking");
    case Semaphore::Attempt::closed: return Error(std::errc::operation_canceled, "spawn_blocking");
  }
  return SpawnBlocking<std::decay_t<F>>::start(runtime, std::forward<F>(function), at);
}
/// On the runtime of this thread.
template <class F>
  requires std::invocable<std::decay_t<F>&>
Result<JoinHandle<std::invoke_result_t<std::decay_t<F>&>>> try_spawn_blocking(
    F&& function, std::source_location at = std::source_location::current()) {
  return try_spawn_blocking(Handle::current(), std::forward<F>(function), at);
}

}  // namespace skua
