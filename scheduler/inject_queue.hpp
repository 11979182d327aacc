// InjectQueue: tasks from outside of the workers, and what overflows their rings.
//
// The queue behind it (moodycamel's ConcurrentQueue) is lock-free for producers, who are wakers on any thread. It is
// not linearizable: try_dequeue may fail although an element is there. So a failed dequeue decides nothing here; the
// counter does:
//
//   push:  enqueue, then count one up [IQ1]
//   pop:   under the consumer lock, dequeue no more than are counted, then count down by what came
//
// Under the lock no other consumer is between dequeue and count, so a positive counter means an element whose enqueue
// has finished and happened before our look: the dequeue finds it. Taking no more than are counted is what keeps it so:
// a pusher's element may be visible before it is counted, and with that taken too the counter would be negative, that
// is huge, until the pusher goes on; the consumers would spin for an element that does not exist. A worker may sleep
// only if has_work() is false, and pushes are followed by Idle::worker_to_wake(): idle.hpp proves that none is lost.
//
// The consumer lock does a second thing: it orders the consumers, so that a block of the queue that goes back to the
// producers has been read by all of them. (ConcurrentQueue 1.0.3, which Debian ships, lacks that edge when several
// consumers empty one block, and thread sanitizer reports it.) Consumers take batches, so the lock is seldom taken.
//
// After close() a pusher finds the closed bit in the word it counts in and empties the queue itself.
//
// Thread safety: all members from any thread. Order: first in, first out for each pushing thread, and the threads in
// turn.
#pragma once

#include <skua/core/assert.hpp>
#include <skua/core/atomic.hpp>
#include <skua/core/mutex.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace skua::scheduler {

/// `Backing` (fair_queue.hpp) has enqueue(T*) -> bool, enqueue_bulk(T**, n) -> bool, try_dequeue_bulk(T**, n) -> count,
/// the last under the lock.
template <class T, class Backing>
class InjectQueue {
 public:
  /// False: the queue is closed. The task is in it, and the caller must drain it: pop() until it gives nothing.
  [[nodiscard]] bool push(T* task) {
    require_memory(queue_.enqueue(task));
    return count_up(1);
  }
  [[nodiscard]] bool push(std::span<T*> tasks) {
    require_memory(queue_.enqueue_bulk(tasks.data(), tasks.size()));
    return count_up(tasks.size());
  }

  /// Fills `room` from its beginning; the number of tasks taken is 0 only if has_work() was false.
  [[nodiscard]] std::size_t pop(std::span<T*> room) {
    if (!has_work()) return 0;
    const seam::Lock lock(consumers_);
    const std::size_t counted = std::min(room.size(), size());
    if (counted == 0) return 0;
    std::size_t taken = 0;
    while (taken == 0) taken = queue_.try_dequeue_bulk(room.data(), counted);
    // relaxed: the lock orders consumers, and a producer's next count needs nothing from us
    word_.fetch_sub(taken * one_task, std::memory_order_relaxed);
    return taken;
  }

  /// How many tasks wait; stale at once.
  std::size_t size() const noexcept {
    // [IQ2] acquire: what was pushed before the count is visible to the dequeue that follows. Pairs with [IQ1].
    return static_cast<std::size_t>(word_.load(std::memory_order_acquire) / one_task);
  }
  bool has_work() const noexcept { return size() != 0; }

  /// No task stays in the queue from now on: whoever pushes drains. The caller drains what is there.
  void close() noexcept {
    // [IQ3] acq_rel: a push that was counted before is seen by our drain; one counted later sees the bit.
    // Pairs with [IQ1].
    word_.fetch_or(closed, std::memory_order_acq_rel);
  }

 private:
  // word_:  | number of tasks : 63 | closed : 1 |
  static constexpr std::uint64_t closed = 1;
  static constexpr std::uint64_t one_task = 2;

  bool count_up(std::size_t tasks) noexcept {
    // [IQ1] acq_rel: publishes the enqueue before; sees close(). Pairs with [IQ2], [IQ3].
    return (word_.fetch_add(tasks * one_task, std::memory_order_acq_rel) & closed) == 0;
  }

  static void require_memory(bool enqueued) noexcept {
    // A task that cannot be queued would never run again: there is no way on.
    if (!enqueued)
      fail_fast("no memory for the queue of runnable tasks", "Limit the number of tasks or raise the memory limit");
  }

  Backing queue_;
  alignas(seam::cache_line) seam::Atomic<std::uint64_t> word_{0};
  seam::Mutex consumers_;
};

}  // namespace skua::scheduler
