// spawn(): starts a task on the runtime of this thread.
#pragma once

#include <skua/core/future.hpp>
#include <skua/core/task.hpp>
#include <skua/handle.hpp>

#include <concepts>
#include <functional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>

namespace skua {

/// Starts `future` as a task that runs beside the caller, on any worker. On a worker, or inside block_on(); elsewhere
/// it ends the program. See JoinHandle for what can be done with the task; dropping the handle lets it run on.
template <Future F>
JoinHandle<Output<F>> spawn(F future, std::source_location at = std::source_location::current()) {
  return current_scheduler().spawn(std::move(future), at);
}

/// spawn() with a name, for logs and task dumps: JoinHandle::name(), current_task_name(). One allocation more.
template <Future F>
JoinHandle<Output<F>> spawn_named(std::string name, F future,
                                  std::source_location at = std::source_location::current()) {
  return current_scheduler().spawn(std::move(future), at, std::move(name));
}

/// The coroutine behind spawn(fn, args...): it keeps the callable and the arguments for as long as the task lives.
template <class Fn, class... Args>
  requires Future<std::invoke_result_t<Fn&, Args&&...>>
auto invoke_as_task(Fn fn, Args... args) -> Task<Output<std::invoke_result_t<Fn&, Args&&...>>> {
  auto future = std::invoke(fn, std::move(args)...);
  co_return co_await std::move(future);
}

/// Starts the future that `fn(args...)` returns. The callable stays alive in the task, so a lambda with captures that
/// is itself a coroutine is safe here, as it is not in spawn(lambda()).
template <class Fn, class... Args>
  requires(!Future<Fn>) && std::invocable<std::decay_t<Fn>&, std::decay_t<Args>&&...>
auto spawn(Fn&& fn, Args&&... args) {
  return spawn(
      invoke_as_task<std::decay_t<Fn>, std::decay_t<Args>...>(std::forward<Fn>(fn), std::forward<Args>(args)...));
}

}  // namespace skua
