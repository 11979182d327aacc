// block_in_place(): a function that blocks, on the worker that is here, whose other tasks go to another thread.
//
//   Task<std::string> render(Page& page) {
//     co_return block_in_place([&] { return slow_template_engine(page); });   // borrows what unblock() could not
//   }
//
// For code that cannot be moved to another thread, because it borrows from its caller or is deep inside of functions
// that are no coroutines. It costs two changes of threads, and on io_uring a new ring for each: for milliseconds, not
// for microseconds. unblock() is cheaper, and can be dropped.
#pragma once

#include <skua/scheduler/scheduler.hpp>

#include <utility>

namespace skua {

/// Calls `function` on this thread and returns what it returns. On a worker, a thread of the blocking pool runs the
/// worker's tasks, timers and descriptors meanwhile, and until this poll ends; if all of them are busy, other workers
/// take the tasks that were ready, and the reactor thread sees to timers and descriptors: with one worker, nobody runs
/// tasks then. On other threads it only calls the function. On a current-thread runtime it ends the program: nobody
/// else could run its tasks. Other branches of the same task (select(), join()) wait.
template <class F>
decltype(auto) block_in_place(F&& function) {
  scheduler::lend_worker();
  return std::forward<F>(function)();
}

}  // namespace skua
