// TaskState: the one word that every holder of a task agrees on.
//
//   63               6 | 5          | 4             | 3         | 2        | 1        | 0
//   reference count    | join_waker | join_interest | cancelled | notified | complete | running
//
//   running        somebody is inside poll(), is destroying the future or reads where it waits: this bit is the lock on
//                  the future
//   complete       the future is gone and the output stored; never cleared, never set beside `running`
//   notified       the task is to be polled: exactly one queue holds it (or, beside `running`, none does yet and
//                  the worker that polls will put it there)
//   cancelled      the future is to be destroyed instead of polled again
//   join_interest  the JoinHandle lives: the output is its to take
//   join_waker     the field TaskHeader::join_waker is set and belongs to the runtime; see below
//
// Owners that the count stands for: the scheduler's list of owned tasks, the JoinHandle, each waker, and the queue
// entry (which turns into the right to poll). A new task has the first, the second and a queue entry.
//
// Transitions are read-modify-writes that return the duty they hand over. Invariants:
//  1. wake() after the last poll began leads to another poll: either it sets `notified` and queues the task, or it
//     sets `notified` beside `running` and the end of that poll queues it, or the task is queued already.
//  2. All transitions are RMWs with release, those that begin a poll acquire, and a wake of a task that is notified
//     already writes too: what is sequenced before a wake is visible to the next poll.
//  3. The one who sets `running` is the only one to touch the future until he clears it: who polls it, destroys it, or
//     reads where it waits.
//  4. join_waker the field: written by the JoinHandle while the bit is clear; read by the runtime while the bit is
//     set and `complete`; who clears join_interest or, on completion, finds it cleared, drops output and waker.
#pragma once

#include <skua/core/assert.hpp>
#include <skua/core/atomic.hpp>

#include <bit>

namespace skua::scheduler {

class TaskState {
 public:
  /// What the worker that took a task from a queue does with it. The queue's reference is his.
  enum class [[nodiscard]] StartPoll { poll, cancel, drop_reference, deallocate };
  /// What the worker does after a poll that returned pending.
  enum class [[nodiscard]] AfterPoll { parked, requeue, cancel, deallocate };
  /// What a waker does.
  enum class [[nodiscard]] Wake { nothing, schedule, deallocate };
  /// Who deals with the output when a task completes.
  enum class [[nodiscard]] OnComplete { drop_output, leave_output, leave_output_and_wake_joiner };

  struct [[nodiscard]] OnJoinHandleDrop {
    bool drop_output;  // the task completed: the output is the handle's, unless it has taken it
    bool drop_waker;   // the field join_waker is ours
  };

  // A worker took the task from a queue.
  StartPoll start_poll() noexcept {
    std::uint64_t now = load_hint();
    for (;;) {
      SKUA_ASSERT(now & notified);
      // Somebody else runs, or shut it down: the queue entry has only its reference to give back.
      const bool ours = (now & (running | complete)) == 0;
      const std::uint64_t next = ours ? (now & ~notified) | running : (now & ~notified) - one_reference;
      if (!replace(now, next)) continue;
      if (ours) return now & cancelled ? StartPoll::cancel : StartPoll::poll;
      return next < one_reference ? StartPoll::deallocate : StartPoll::drop_reference;
    }
  }

  // poll() returned pending. A wake during it saw `running` and queued nothing: the push is ours (`requeue`,
  // with the reference of the entry that was polled). `cancel`: `running` stays ours.
  AfterPoll finish_poll() noexcept {
    std::uint64_t now = load_hint();
    for (;;) {
      SKUA_ASSERT(now & running);
      if (now & cancelled) {
        // [TS3] acquire: the abort's writes are seen by the destruction; pairs with [TS1]. The failure order is
        // relaxed: `now` is only compared again.
        if (word_.compare_exchange_weak(now, now, std::memory_order_acquire, std::memory_order_relaxed)) {
          return AfterPoll::cancel;
        }
        continue;
      }
      const bool woken = (now & notified) != 0;
      const std::uint64_t next = (now & ~running) - (woken ? 0 : one_reference);
      if (!replace(now, next)) continue;
      if (woken) return AfterPoll::requeue;
      return next < one_reference ? AfterPoll::deallocate : AfterPoll::parked;
    }
  }

  // The future is destroyed and the output stored. Requires `running` to be ours.
  OnComplete complete_task() noexcept {
    // [TS2] acq_rel: the joiner that sees `complete` sees the output; we see the joiner's waker. Pairs with [TS1].
    const std::uint64_t before = word_.fetch_xor(running | complete, std::memory_order_acq_rel);
    SKUA_ASSERT((before & running) && !(before & complete));
    if (!(before & join_interest)) return OnComplete::drop_output;
    return before & join_waker ? OnComplete::leave_output_and_wake_joiner : OnComplete::leave_output;
  }

  // The joiner has been woken: its waker goes back to it. True if the handle is gone: the waker is ours to drop.
  [[nodiscard]] bool release_join_waker() noexcept {
    std::uint64_t now = load_hint();
    while (!replace(now, now & ~join_waker)) {
    }
    return !(now & join_interest);
  }

  // Consumes nothing: the waker keeps its reference; a new queue entry gets one of its own.
  Wake wake_by_ref() noexcept {
    std::uint64_t now = load_hint();
    for (;;) {
      if (now & complete) return Wake::nothing;
      const bool idle = (now & (running | notified)) == 0;
      const std::uint64_t next = idle ? (now | notified) + one_reference : now | notified;
      if (replace(now, next)) return idle ? Wake::schedule : Wake::nothing;
    }
  }

  // Consumes the waker's reference, which becomes the queue entry's.
  Wake wake_by_value() noexcept {
    std::uint64_t now = load_hint();
    for (;;) {
      const bool idle = (now & (running | notified | complete)) == 0;
      const bool done = (now & complete) != 0;
      const std::uint64_t next = idle ? now | notified : (done ? now : now | notified) - one_reference;
      if (!replace(now, next)) continue;
      if (idle) return Wake::schedule;
      return next < one_reference ? Wake::deallocate : Wake::nothing;
    }
  }

  // abort(): the future is destroyed at its next suspension point, by a worker. Keeps the caller's reference.
  Wake cancel() noexcept {
    std::uint64_t now = load_hint();
    for (;;) {
      if (now & (complete | cancelled)) return Wake::nothing;
      const bool idle = (now & (running | notified)) == 0;
      const std::uint64_t next = idle ? (now | cancelled | notified) + one_reference : now | cancelled | notified;
      if (replace(now, next)) return idle ? Wake::schedule : Wake::nothing;
    }
  }

  // Shutdown, on a worker: marks the task, and claims it if nobody is polling it. True: `running` is ours, and a
  // queue entry that may exist will find the task complete.
  [[nodiscard]] bool claim_for_shutdown() noexcept {
    std::uint64_t now = load_hint();
    for (;;) {
      const bool ours = (now & (running | complete)) == 0;
      if (replace(now, now | cancelled | (ours ? running : 0))) return ours;
    }
  }

  // Inspection: somebody reads from outside where the task waits. Only while it does: nobody polls it meanwhile. True:
  // `running` is ours until end_inspection(). The caller keeps the task in the list of owned tasks meanwhile, by the
  // lock of its shard: see Scheduler::Shared::end_task().
  [[nodiscard]] bool begin_inspection() noexcept {
    std::uint64_t now = load_hint();
    do {
      if (now & (running | complete | notified | cancelled)) return false;
    } while (!replace(now, now | running));
    return true;
  }

  // True: somebody woke or aborted the task meanwhile, saw `running`, and queued nothing: the push is ours, with a
  // reference that is made here. (claim_for_shutdown() is tried again by who was refused.)
  [[nodiscard]] bool end_inspection() noexcept {
    std::uint64_t now = load_hint();
    for (;;) {
      SKUA_ASSERT(now & running);
      const bool queue_it = (now & notified) != 0;
      const std::uint64_t next = (now & ~running) + (queue_it ? one_reference : 0);
      if (replace(now, next)) return queue_it;
    }
  }

  // What a task that cannot be inspected is doing. Stale at once.
  enum class Look { waits, queued, runs, is_cancelled, has_ended };
  Look look() const noexcept {
    const std::uint64_t now = word_.load(std::memory_order_relaxed);  // relaxed: nothing is read because of it
    if (now & complete) return Look::has_ended;
    if (now & running) return Look::runs;
    if (now & cancelled) return Look::is_cancelled;
    return now & notified ? Look::queued : Look::waits;
  }

  void add_reference() noexcept {
    // relaxed: whoever adds a reference holds one, which keeps the task alive
    word_.fetch_add(one_reference, std::memory_order_relaxed);
  }

  // True: it was the last one, the task is to be deallocated.
  [[nodiscard]] bool drop_references(std::uint64_t count = 1) noexcept {
    // [TS4] acq_rel: the last owner sees all the others' writes. Pairs with itself.
    const std::uint64_t before = word_.fetch_sub(count * one_reference, std::memory_order_acq_rel);
    SKUA_ASSERT(before >= count * one_reference);
    return before < (count + 1) * one_reference;
  }

  // JoinHandle ------------------------------------------------------------------------------------------------

  bool is_complete() const noexcept {
    // [TS5] acquire: who sees `complete` sees the output. Pairs with [TS2].
    return (word_.load(std::memory_order_acquire) & complete) != 0;
  }

  // The field join_waker has been written: hands it to the runtime. False: the task completed meanwhile.
  [[nodiscard]] bool publish_join_waker() noexcept { return set_unless_complete(join_waker, join_waker); }
  // Takes the field join_waker back. False: the task completed meanwhile.
  [[nodiscard]] bool reclaim_join_waker() noexcept { return set_unless_complete(join_waker, 0); }
  bool has_join_waker() const noexcept {
    // [TS7] acquire: the task may complete after the handle asked [TS5]. If the bit is clear because the runtime
    // released the waker, then the runtime's use of the field comes before the handle's next write. Pairs with [TS1].
    return (word_.load(std::memory_order_acquire) & join_waker) != 0;
  }

  OnJoinHandleDrop drop_join_handle() noexcept {
    std::uint64_t now = load_hint();
    for (;;) {
      const bool done = (now & complete) != 0;
      // Before completion the waker comes back to us; afterwards only if the runtime has released it.
      const std::uint64_t next = now & ~(done ? join_interest : join_interest | join_waker);
      if (replace(now, next)) return {.drop_output = done, .drop_waker = !(next & join_waker)};
    }
  }

  /// Whether somebody is inside of poll(), or destroys the future. For reports.
  bool is_running() const noexcept {
    return (word_.load(std::memory_order_relaxed) & running) != 0;  // relaxed: stale at once
  }

  /// True if no reference besides the asking one exists. For assertions and statistics.
  std::uint64_t references() const noexcept {
    return word_.load(std::memory_order_relaxed) / one_reference;  // relaxed: a number that is stale at once
  }

 private:
  static constexpr std::uint64_t running = 1u << 0;
  static constexpr std::uint64_t complete = 1u << 1;
  static constexpr std::uint64_t notified = 1u << 2;
  static constexpr std::uint64_t cancelled = 1u << 3;
  static constexpr std::uint64_t join_interest = 1u << 4;
  static constexpr std::uint64_t join_waker = 1u << 5;
  static constexpr std::uint64_t one_reference = 1u << 6;
  static_assert(std::popcount(one_reference - 1) == 6, "six flags, then the count");

  // relaxed: only the first guess of a compare-exchange, which reads again
  std::uint64_t load_hint() const noexcept { return word_.load(std::memory_order_relaxed); }

  // [TS1] acq_rel: every transition publishes what its thread did to the task and sees what the threads of all
  // earlier transitions did, a chain of RMWs without a gap. Pairs with itself, [TS2], [TS3], [TS7].
  // The failure order is relaxed: the value is only compared again.
  bool replace(std::uint64_t& now, std::uint64_t next) noexcept {
    return word_.compare_exchange_weak(now, next, std::memory_order_acq_rel, std::memory_order_relaxed);
  }

  bool set_unless_complete(std::uint64_t mask, std::uint64_t bits) noexcept {
    std::uint64_t now = load_hint();
    do {
      if (now & complete) {
        // [TS6] acquire: the caller goes on with what the task did. Pairs with [TS2].
        static_cast<void>(word_.load(std::memory_order_acquire));
        return false;
      }
    } while (!replace(now, (now & ~mask) | bits));
    return true;
  }

  seam::Atomic<std::uint64_t> word_{3 * one_reference | join_interest | notified};
};

}  // namespace skua::scheduler
