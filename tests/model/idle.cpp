// scheduler/idle.hpp, inject_queue.hpp, local_queue.hpp and thread_parker.hpp together: no task waits in a queue while
// a worker sleeps that could run it. A task that is lost ends as a deadlock: all workers parked, work left.
//
// The workers' loop mirrors worker.cpp; what it leaves out is the LIFO slot, the looks at the driver and the inject
// queue's turn every 31st task.
#include "harness.hpp"
#include "loose_queue.hpp"

#include <skua/scheduler/idle.hpp>
#include <skua/scheduler/inject_queue.hpp>
#include <skua/scheduler/local_queue.hpp>
#include <skua/scheduler/thread_parker.hpp>

#include <skua/core/timekeeper.cpp>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

using namespace skua;
using namespace skua::scheduler;
using model::check;

namespace {

struct Item {
  unsigned number = 0;
  model::Var<int> runs;
};

template <class Derived, unsigned Threads, unsigned Workers, unsigned Items, unsigned Batch = seam::inject_batch>
struct IdleModel : rl::test_suite<Derived, Threads> {
  struct Worker {
    WorkerId id = 0;
    bool searching = false;
    LocalQueue<Item> queue;
    ThreadParker parker;
  };

  // Mirrors worker.cpp, member by member -----------------------------------------------------------------------------

  void run_until_shutdown(Worker& self) {
    for (;;) {
      run_in_service(self);
      if (shutting_down.load(std::memory_order_relaxed)) return;
      wait_out_of_service(self);
    }
  }
  bool is_in_service(const Worker& self) { return self.id < active_workers.load(std::memory_order_relaxed); }
  void wait_out_of_service(Worker& self) {
    while (Item* const task = self.queue.pop()) {
      check(inject_queue.push(task), "open");
      wake_one();
    }
    if (idle.leave(std::exchange(self.searching, false)) && has_work()) wake_one();
    while (!is_in_service(self) && !shutting_down.load(std::memory_order_relaxed)) self.parker.park();
    idle.join();
  }
  void run_in_service(Worker& self) {
    while (is_in_service(self)) {
      if (Item* task = next_task(self)) {
        run_task(self, task);
      } else if (Item* stolen = search(self)) {
        run_task(self, stolen);
      } else {
        sleep(self);
      }
    }
  }
  void sleep(Worker& self) {
    const bool last_searcher = idle.begin_sleep(self.id, std::exchange(self.searching, false));
    if (last_searcher && has_work()) wake_one();
    self.parker.park();
    self.searching = idle.end_sleep(self.id);
    wake_for_backlog(self);
  }
  Item* next_task(Worker& self) {
    if (Item* task = self.queue.pop()) return task;
    return next_injected(self);
  }
  Item* next_injected(Worker& self) {
    const std::size_t waiting = inject_queue.size();
    if (waiting == 0) return nullptr;
    std::array<Item*, Batch> batch;
    const std::size_t share = waiting / Workers + 1;
    const std::size_t room = self.queue.capacity - self.queue.size();
    const std::size_t taken =
        inject_queue.pop({batch.data(), std::clamp<std::size_t>(share, 1, std::min(room + 1, batch.size()))});
    if (taken == 0) return nullptr;
    for (std::size_t i = 1; i < std::min<std::size_t>(taken, Batch); ++i)
      check(self.queue.push(batch[i]), "there is room");
    found_work(self);
    return batch[0];
  }
  Item* search(Worker& self) {
    if (!self.searching) self.searching = idle.begin_search();
    if (!self.searching) return nullptr;
    for (Worker& victim : workers) {
      if (&victim == &self) continue;
      if (Item* task = victim.queue.steal_into(self.queue)) {
        found_work(self);
        return task;
      }
    }
    return next_injected(self);
  }
  void found_work(Worker& self) {
    if (std::exchange(self.searching, false) && idle.end_search() && has_work()) wake_one();
  }
  void run_task(Worker& self, Item* task) {
    found_work(self);
    check(task->runs.add(1) == 0, "a task runs once");
    static_cast<Derived*>(this)->run(self, task->number);
    if (left.fetch_sub(1, std::memory_order_acq_rel) == 1) shut_down();
  }
  void wake_for_backlog(Worker& self) {
    if (self.queue.size() >= 2) wake_one();
  }
  bool has_work() {
    if (inject_queue.has_work()) return true;
    return std::any_of(std::begin(workers), std::end(workers), [](Worker& worker) { return !worker.queue.is_empty(); });
  }
  void wake_one() {
    const WorkerId worker = idle.worker_to_wake();
    if (worker != no_worker) workers[worker].parker.unpark();
  }
  void inject(unsigned item) {
    items[item].runs.write(0);
    check(inject_queue.push(&items[item]), "open");
    wake_one();
  }
  // Mirrors Scheduler::set_active_workers(), and close().
  void set_active_workers(unsigned count) {
    const seam::Lock lock(resize_mutex);
    const unsigned before = active_workers.load(std::memory_order_relaxed);
    if (before == 0) return;
    active_workers.store(count, std::memory_order_relaxed);
    for (unsigned i = std::min(before, count); i < std::max(before, count); ++i) workers[i].parker.unpark();
  }
  void shut_down() {
    shutting_down.store(true, std::memory_order_release);
    {
      const seam::Lock lock(resize_mutex);
      active_workers.store(0, std::memory_order_relaxed);
    }
    for (Worker& worker : workers) worker.parker.unpark();
  }

  void before() {
    for (unsigned i = 0; i < Workers; ++i) workers[i].id = i;
    for (unsigned i = 0; i < Items; ++i) items[i].number = i;
  }
  void after() {
    for (const Item& item : items) check(item.runs.read() == 1, "every task ran");
    check(!has_work(), "nothing is left");
    check(idle.awake() == Workers, "all are awake in the end");
  }
  /// What a task does. Each model may have its own.
  void run(Worker&, unsigned) {}

  Idle idle{Workers};
  InjectQueue<Item, model::LooseQueue<Item>> inject_queue;
  Worker workers[Workers];
  Item items[Items];
  seam::Atomic<std::uint32_t> left{Items};
  seam::Mutex resize_mutex;
  seam::Atomic<unsigned> active_workers{Workers};
  seam::Atomic<bool> shutting_down;
};

struct OneWorkerOnePush : IdleModel<OneWorkerOnePush, 2, 1, 1> {
  void thread(unsigned i) { i == 0 ? inject(0) : run_until_shutdown(workers[0]); }
};

struct OneWorkerTwoProducers : IdleModel<OneWorkerTwoProducers, 3, 1, 2> {
  void thread(unsigned i) { i < 2 ? inject(i) : run_until_shutdown(workers[0]); }
};

struct TwoParkersOnePush : IdleModel<TwoParkersOnePush, 3, 2, 1> {
  void thread(unsigned i) { i == 2 ? inject(0) : run_until_shutdown(workers[i]); }
};

struct TwoWorkersTwoPushes : IdleModel<TwoWorkersTwoPushes, 3, 2, 2> {
  void thread(unsigned i) {
    if (i < 2) return run_until_shutdown(workers[i]);
    inject(0);
    inject(1);
  }
};

// The task that is pushed pushes another, which its own worker must not be the one to run: it waits for it.
struct PushFromAWorker : IdleModel<PushFromAWorker, 2, 2, 2> {
  void before() {
    IdleModel::before();
    inject(0);
  }
  void thread(unsigned i) { run_until_shutdown(workers[i]); }
  void run(Worker&, unsigned item) {
    if (item == 1) return done.set();
    inject(1);
    done.wait();
  }
  model::Event done;
};

// A task puts two into its worker's ring, a backlog, and then waits until one of them has run: somebody else must come
// and steal it. (A single task in the ring is nobody else's business: its worker runs it next.)
struct Backlog : IdleModel<Backlog, 2, 2, 3> {
  void before() {
    IdleModel::before();
    inject(0);
  }
  void thread(unsigned i) { run_until_shutdown(workers[i]); }
  void run(Worker& self, unsigned item) {
    if (item != 0) return done.set();
    for (unsigned child = 1; child < 3; ++child) check(self.queue.push(&items[child]), "there is room");
    wake_for_backlog(self);
    done.wait();
  }
  model::Event done;
};

// Two tasks that wait for each other: both must be run, at the same time. The searcher who finds the first one and was
// the last searcher sees to it that somebody comes for the second [ID3], and a worker that was refused the search looks
// once more before it sleeps if nobody else is searching [ID2].
// Workers take one task at a time here. With two, the second lies in the ring of the worker that runs the first, which
// tells nobody: by design a single task in a ring waits for its worker.
struct TasksThatMeet : IdleModel<TasksThatMeet, 3, 2, 2, 1> {
  void thread(unsigned i) {
    if (i < 2) return run_until_shutdown(workers[i]);
    inject(0);
    inject(1);
  }
  void run(Worker&, unsigned item) {
    here[item].set();
    here[1 - item].wait();
  }
  model::Event here[2];
};

// A worker is taken out of service while a task is pushed, whichever worker is told of it: the other runs it.
struct LeavesBesideAPush : IdleModel<LeavesBesideAPush, 3, 2, 1> {
  void thread(unsigned i) {
    if (i < 2) return run_until_shutdown(workers[i]);
    set_active_workers(1);
    inject(0);
  }
};

struct PushBesideTheLeave : IdleModel<PushBesideTheLeave, 3, 2, 2> {
  void thread(unsigned i) {
    if (i < 2) return run_until_shutdown(workers[i]);
    inject(0);
    set_active_workers(1);
    inject(1);
  }
};

// Out of service and back, with tasks that need both at the same time in the end.
struct LeavesAndComesBack : IdleModel<LeavesAndComesBack, 3, 2, 2, 1> {
  void thread(unsigned i) {
    if (i < 2) return run_until_shutdown(workers[i]);
    set_active_workers(1);
    inject(0);
    set_active_workers(2);
    inject(1);
  }
  void run(Worker&, unsigned item) {
    here[item].set();
    here[1 - item].wait();
  }
  model::Event here[2];
};

// What a worker has in its ring when it leaves, the other runs.
struct LeavesWithTasks : IdleModel<LeavesWithTasks, 2, 2, 3> {
  void before() {
    IdleModel::before();
    inject(0);
  }
  void thread(unsigned i) { run_until_shutdown(workers[i]); }
  void run(Worker& self, unsigned item) {
    if (item != 0) return;
    for (unsigned child = 1; child < 3; ++child) check(self.queue.push(&items[child]), "there is room");
    set_active_workers(1);
  }
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("idle", argc, argv);
  runner.run<OneWorkerOnePush>("one_worker_one_push");
  runner.run<OneWorkerTwoProducers>("one_worker_two_producers");
  runner.run<TwoParkersOnePush>("two_parkers_one_push");
  runner.run<TwoWorkersTwoPushes>("two_workers_two_pushes");
  runner.run<PushFromAWorker>("push_from_a_worker");
  runner.run<Backlog>("backlog_is_stolen");
  runner.run<TasksThatMeet>("tasks_that_meet");
  runner.run<LeavesBesideAPush>("leaves_beside_a_push");
  runner.run<PushBesideTheLeave>("push_beside_the_leave");
  runner.run<LeavesAndComesBack>("leaves_and_comes_back");
  runner.run<LeavesWithTasks>("leaves_with_tasks");
  return runner.exit_code();
}
