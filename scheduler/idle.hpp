// Idle: who takes part, who sleeps, who searches, and whom to wake.
//
// The promise: no task waits in a queue while a worker sleeps that could run it. The protocol (after Tokio's, with the
// proof written out):
//
//   A worker out of work becomes *searching* (at most half of the workers may be), looks at all queues, and finding
//   nothing goes to sleep: begin_sleep() [ID2]. If nobody is searching then, it looks at every queue once more, and
//   wakes somebody if it finds work. So does a worker that goes to sleep because it was refused the search. A thread
//   that pushes a task calls worker_to_wake() [ID1]: if nobody is searching and somebody sleeps, it names a sleeper,
//   who wakes up searching. A searcher that finds work and was the last one looks at every queue too [ID3], and wakes
//   another if there is more, before it runs what it found.
//
// Invariant: while any queue holds a task, some worker searches, or is about to look at every queue, or none sleeps.
//   Proof. push() makes "a queue holds a task" true and then runs [ID1]. Who goes to sleep at [ID2], or ends its search
//   at [ID3], and leaves nobody searching, then looks at every queue. All are read-modify-writes of counts_, so one
//   comes first.
//   - [ID1] later: it reads what [ID2] or [ID3] wrote, sees no searcher, and wakes a sleeper, if any sleeps.
//   - [ID2] or [ID3] later: it acquires what [ID1] released, so its second look sees the push.
//   - [ID2] that leaves somebody searching: his own [ID2] or [ID3] comes later, and so does a look.
//   Until [ID2] a worker without work is awake, and a push wakes nobody in its stead: hence the look of those who were
//   refused the search. The searcher may have found another task and be busy with it for long.
//
// A worker that is taken out of service leaves as if it went to sleep, and is on no list: leave() is an [ID2].
//
// Why not a plain load in worker_to_wake()? It could read a value older than [ID2] without anybody noticing: the pusher
// sees a searcher that has already looked, and the task is lost (tokio#1788).
//
// Thread safety: all members from any thread. Sleepers are woken last in, first out: the warmest cache first.
#pragma once

#include <skua/core/assert.hpp>
#include <skua/core/atomic.hpp>
#include <skua/core/mutex.hpp>

#include <algorithm>
#include <vector>

namespace skua::scheduler {

using WorkerId = std::uint32_t;
inline constexpr WorkerId no_worker = ~WorkerId{0};

class Idle {
 public:
  /// All workers start awake and not searching. At most 65535.
  explicit Idle(std::uint32_t workers) : counts_(std::uint64_t{workers} * (one_worker + one_awake)) {
    sleepers_.reserve(workers);
  }

  /// After a push. A sleeper that must be woken, already counted as awake and searching; or no_worker.
  [[nodiscard]] WorkerId worker_to_wake() {
    // [ID1] seq_cst +0, not a load: see above. Everybody pushes before this, and [ID2] is the other side; the
    // queues' own words are not part of the chain, so their pushes are ordered by this write. Pairs with [ID2].
    if (!quiet(counts_.fetch_add(0, std::memory_order_seq_cst))) return no_worker;
    const seam::Lock lock(mutex_);
    // relaxed: written under the mutex only where it matters: a sleeper leaves the list and joins the count together
    if (!quiet(counts_.load(std::memory_order_relaxed)) || sleepers_.empty()) return no_worker;
    count(one_awake + one_searching);
    const WorkerId worker = sleepers_.back();
    sleepers_.pop_back();
    return worker;
  }

  /// The worker goes to sleep. True: nobody is searching now, and it must look at every queue once more.
  [[nodiscard]] bool begin_sleep(WorkerId worker, bool searching) {
    const seam::Lock lock(mutex_);
    sleepers_.push_back(worker);
    return subtract(one_awake, searching);
  }

  /// The worker, which is awake, takes no tasks any more: it is not to be woken for any. True: as begin_sleep().
  [[nodiscard]] bool leave(bool searching) {
    const seam::Lock lock(mutex_);
    return subtract(one_worker + one_awake, searching);
  }
  /// It takes tasks again, and is awake.
  void join() {
    const seam::Lock lock(mutex_);
    count(one_worker + one_awake);
  }

  /// The worker is awake again. True: somebody woke it by name, and it counts as searching. False: its driver did.
  [[nodiscard]] bool end_sleep(WorkerId worker) {
    const seam::Lock lock(mutex_);
    const auto found = std::find(sleepers_.begin(), sleepers_.end(), worker);
    if (found == sleepers_.end()) return true;
    sleepers_.erase(found);
    count(one_awake);
    return false;
  }

  /// May the worker search? At most half of them do: more only disturb each other.
  [[nodiscard]] bool begin_search() noexcept {
    // relaxed: a hint; too many or too few searchers cost time, never a task
    const std::uint64_t counts = counts_.load(std::memory_order_relaxed);
    if (2 * searchers(counts) >= workers(counts)) return false;
    count(one_searching);
    return true;
  }

  /// The worker found work. True: it was the last searcher, and must wake another if any queue holds a task.
  [[nodiscard]] bool end_search() noexcept {
    // [ID3] seq_cst: as [ID2]. Pairs with [ID1].
    return searchers(counts_.fetch_sub(one_searching, std::memory_order_seq_cst)) == 1;
  }

  /// How many take part and do not sleep.
  std::uint32_t awake() const noexcept {
    // [ID4] seq_cst: the monitor's last look before it stops is ordered against a worker's waking; pairs with [ID1].
    return awake(counts_.load(std::memory_order_seq_cst));
  }

 private:
  // counts_:  | unused : 16 | workers : 16 | awake : 16 | searching : 16 |
  static constexpr std::uint64_t one_searching = 1;
  static constexpr std::uint64_t one_awake = std::uint64_t{1} << 16;
  static constexpr std::uint64_t one_worker = std::uint64_t{1} << 32;
  static constexpr std::uint32_t searchers(std::uint64_t counts) noexcept { return counts & 0xffff; }
  static constexpr std::uint32_t awake(std::uint64_t counts) noexcept { return counts >> 16 & 0xffff; }
  static constexpr std::uint32_t workers(std::uint64_t counts) noexcept { return counts >> 32 & 0xffff; }

  static bool quiet(std::uint64_t counts) noexcept { return searchers(counts) == 0 && awake(counts) < workers(counts); }

  // True: nobody is searching any more.
  bool subtract(std::uint64_t change, bool searching) noexcept SKUA_REQUIRES(mutex_) {
    // [ID2] seq_cst: pairs with [ID1].
    const std::uint64_t before = counts_.fetch_sub(change + (searching ? one_searching : 0), std::memory_order_seq_cst);
    return searchers(before) == (searching ? 1u : 0u);
  }

  // [ID5] seq_cst: every change of the counts is in the one order that the proof argues with. Pairs with [ID1], [ID2].
  void count(std::uint64_t change) noexcept { counts_.fetch_add(change, std::memory_order_seq_cst); }

  // Any thread
  seam::Atomic<std::uint64_t> counts_;
  // Guarded by mutex_
  seam::Mutex mutex_;
  std::vector<WorkerId> sleepers_ SKUA_GUARDED_BY(mutex_);
};

}  // namespace skua::scheduler
