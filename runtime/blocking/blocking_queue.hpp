// BlockingQueue: operations that wait for a thread, and the threads that wait for an operation. Private.
//
// A thread serves until it has been idle for the keep-alive time. Who submits hands his operation to an idle thread if
// there is one, else asks for a new thread, up to the limit; else the operation waits until a busy thread is free.
//
// Invariant, under the lock: an operation is queued only if some thread will look at the queue again before it goes
// idle or ends: one that is busy, one that has been called (`calls_`), or one that is being started. Whoever calls an
// idle thread takes it off the idle count himself, so that two submitters never count on the same thread; a thread that
// was called looks at the queue even if its time has passed as well.
//
// The limits may change at any time. A thread that is one too many ends when it has done what it is at; if operations
// wait and a thread is idle, it calls that one first, which keeps the invariant if it had been called itself.
#pragma once

#include <skua/blocking/blocking_metrics.hpp>
#include <skua/core/clock.hpp>
#include <skua/core/mutex.hpp>
#include <skua/reactor/operation.hpp>

#include <cstddef>
#include <cstdint>

namespace skua {

class BlockingQueue {
 public:
  BlockingQueue(std::uint32_t most_threads, Duration keep_alive) noexcept
      : most_threads_(most_threads), keep_alive_(keep_alive) {}

  enum class Admission {
    queued,
    needs_thread,  // queued; the caller starts a thread that calls serve(), or says thread_refused()
    refused,       // closed: the caller still has the operation
  };
  Admission submit(Ref<reactor::Operation>& operation);
  /// No thread could be started. Returns the operations that nobody would ever do: empty while other threads serve.
  void thread_refused(reactor::OperationList& stranded);
  /// Takes out an operation that waits for a thread; null if none has it any more or one is at it.
  Ref<reactor::Operation> withdraw(reactor::Operation& operation);

  /// A thread's life: performs operations until there was none for the keep-alive time, the queue was closed, or there
  /// are more threads than the limit allows.
  void serve();

  /// Other limits from now on; `most_threads` > 0. Returns how many threads the caller is to start, each as for
  /// needs_thread.
  [[nodiscard]] std::uint32_t set_limits(std::uint32_t most_threads, Duration keep_alive);

  /// Operations that wait, and that threads are at.
  std::size_t unfinished();
  BlockingMetrics metrics();

  /// No more operations; those that wait go to `left`. Threads end once their operation is done.
  void close(reactor::OperationList& left);

 private:
  /// What the calling thread is to do next. Null: it is to end.
  Ref<reactor::Operation> next() SKUA_REQUIRES(mutex_);
  /// Sleeps until called. False: nobody called in time, or the thread is one too many.
  bool wait_for_call() SKUA_REQUIRES(mutex_);
  /// Requires one that is idle.
  void call_thread() SKUA_REQUIRES(mutex_);
  void move_all(reactor::OperationList& to) SKUA_REQUIRES(mutex_);

  seam::Mutex mutex_;
  seam::Condvar called_;
  std::uint32_t most_threads_ SKUA_GUARDED_BY(mutex_);
  Duration keep_alive_ SKUA_GUARDED_BY(mutex_);
  reactor::OperationList waiting_ SKUA_GUARDED_BY(mutex_);
  std::uint32_t threads_ SKUA_GUARDED_BY(mutex_) = 0;  // serving, or being started
  std::uint32_t idle_ SKUA_GUARDED_BY(mutex_) = 0;     // asleep and not called
  std::uint32_t calls_ SKUA_GUARDED_BY(mutex_) = 0;    // made, not yet answered
  std::uint32_t performing_ SKUA_GUARDED_BY(mutex_) = 0;
  bool closed_ SKUA_GUARDED_BY(mutex_) = false;
  BlockingMetrics counted_ SKUA_GUARDED_BY(mutex_);  // those that are counted
};

}  // namespace skua
