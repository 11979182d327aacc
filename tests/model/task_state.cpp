// scheduler/task_state.hpp with the production code around it: TaskHeader, the task wakers, JoinHandle.
//
// The future is plain data: two polls, or a poll and a destruction, that are not ordered are a race. Flags are read
// relaxed, so that a poll sees them only if the wake before it published them; a wake that is lost, or that publishes
// nothing, ends as a deadlock.
#include "miniature_scheduler.hpp"

#include <utility>

using namespace skua;
using namespace skua::scheduler;
using model::check;
using model::Var;
constexpr auto relaxed = std::memory_order_relaxed;

// ----------------------------------------------------------------------------------------------------- the task

namespace {

/// A joiner: a thread that waits. Its waker counts its copies in plain data: cloned by the joiner, woken and dropped
/// by whoever TaskState says, in an order that TaskState provides, or it is a race.
struct Joiner {
  Var<int> copies{0};
  model::Event woken;

  static Joiner& of(void* data) { return *static_cast<Joiner*>(data); }
  static constexpr WakerVtable vtable{
      .clone = [](void* data) { of(data).copies.add(1); },
      .wake = [](void*) { check(false, "the runtime wakes by reference"); },
      .wake_by_ref =
          [](void* data) {
            check(of(data).copies.read() == 1, "the waker is there when it is woken");
            of(data).woken.set();
          },
      .drop = [](void* data) { check(of(data).copies.add(-1) == 1, "the waker is dropped once"); },
  };
};

enum Output : int { none, value, cancelled };

template <class Derived, unsigned Threads>
struct TaskModel : rl::test_suite<Derived, Threads> {
  struct Cell : TaskHeader {
    explicit Cell(TaskModel* owner) : TaskHeader(&functions, std::source_location::current()), model(owner) {}
    TaskModel* const model;
    Var<int> future{1};         // 1 until it is destroyed
    Var<Output> output{none};   // none once it is taken or dropped
    Var<int> touched[Threads];  // what each holder did to the task before it let go
  };

  void before() {
    runtime = new Scheduler({});
    task = new Cell(this);
    runtime->add_ref();
    task->scheduler = runtime;
    shared = Scheduler::Shared::latest;
    shared->adopt(task);
    handle.emplace(task);
    runtime->schedule(task);
  }
  void after() {
    handle.reset();
    shared->close();
    check(destroyed == 1, "the future was destroyed once");
    check(outputs == 1, "the output was taken or dropped once");
    check(deallocated == 1, "the task was deallocated once");
    runtime->drop_ref();
  }

  // What the threads do --------------------------------------------------------------------------------------------

  void work() { shared->work(); }
  Waker make_waker() {
    task->add_reference();
    return {task, &task_waker_vtable};
  }
  /// Waits for the end; `joiner` is the waker to be woken.
  void join(Joiner& joiner) {
    while (!poll_join(joiner)) joiner.woken.consume();
  }
  /// True: the task has ended, and the output was taken.
  bool poll_join(Joiner& joiner) {
    const BorrowedWaker waker(&joiner, &Joiner::vtable);
    Context context(waker.get());
    return handle->poll(context).is_ready();
  }
  void touch(unsigned thread) { task->touched[thread].write(1); }

  // The future -----------------------------------------------------------------------------------------------------

  /// True: ready. Each model has its own.
  bool poll_future(Context&) { return true; }

  static Cell& cell(TaskHeader* task) { return *static_cast<Cell*>(task); }
  static void end_with(TaskHeader* task, Output output) {
    check(cell(task).future.add(-1) == 1, "the future is destroyed once");
    ++cell(task).model->destroyed;
    cell(task).output.write(output);
  }
  static Output remove_output(TaskHeader* task) {
    const Output output = cell(task).output.read();
    check(output != none, "there is an output");
    cell(task).output.write(none);
    ++cell(task).model->outputs;
    return output;
  }
  static constexpr TaskVtable functions{
      .poll = [](TaskHeader* task, Context& context) noexcept -> bool {
        check(cell(task).future.read() == 1, "the future that is polled exists");
        cell(task).future.write(1);
        if (!static_cast<Derived*>(cell(task).model)->poll_future(context)) {
          cell(task).future.write(1);
          return false;
        }
        end_with(task, value);
        return true;
      },
      .cancel =
          [](TaskHeader* task) noexcept {
            static_cast<Derived*>(cell(task).model)->on_cancel();
            end_with(task, cancelled);
          },
      .take_output =
          [](TaskHeader* task, void* to) noexcept {
            auto& result = *static_cast<std::optional<JoinResult<int>>*>(to);
            if (remove_output(task) == value) {
              result.emplace(42);
            } else {
              result.emplace(JoinError::cancelled());
            }
          },
      .drop_output = [](TaskHeader* task) noexcept { static_cast<void>(remove_output(task)); },
      .deallocate =
          [](TaskHeader* task) noexcept {
            for (const auto& touched : cell(task).touched) static_cast<void>(touched.read());
            check(cell(task).future.read() == 0 && cell(task).output.read() == none, "nothing is left in the task");
            ++cell(task).model->deallocated;
            delete &cell(task);
          },
      .waits_at =
          [](TaskHeader* task) noexcept {
            check(cell(task).future.read() == 1, "the future that is looked at exists");
            return std::source_location();
          },
      .blocks = false,
  };
  void on_cancel() {}

  Scheduler* runtime = nullptr;
  Scheduler::Shared* shared = nullptr;
  Cell* task = nullptr;
  std::optional<JoinHandle<int>> handle;
  int destroyed = 0, outputs = 0, deallocated = 0;
};

// ------------------------------------------------------------------------------------------------- waking, polling

template <bool ByValue>
struct TwoWakers : TaskModel<TwoWakers<ByValue>, 3> {
  using Base = TaskModel<TwoWakers, 3>;
  void before() {
    Base::before();
    for (auto& waker : wakers) waker = this->make_waker();
  }
  bool poll_future(Context&) { return flags[0].load(relaxed) != 0 && flags[1].load(relaxed) != 0; }
  void thread(unsigned i) {
    if (i == 2) return this->work();
    flags[i].store(1, relaxed);
    if constexpr (ByValue) {
      std::move(wakers[i]).wake();
    } else {
      wakers[i].wake_by_ref();
      wakers[i] = Waker();
    }
  }
  Waker wakers[2];
  seam::Atomic<std::uint32_t> flags[2];
};

// The polls are on two workers in turn: each sees what the one before did to the future.
struct TwoWorkers : TaskModel<TwoWorkers, 3> {
  void before() {
    TaskModel::before();
    waker = make_waker();
  }
  bool poll_future(Context&) { return progress.load(relaxed) == 2; }
  void thread(unsigned i) {
    if (i != 0) return work();
    progress.store(1, relaxed);
    waker.wake_by_ref();
    progress.store(2, relaxed);
    std::move(waker).wake();
  }
  Waker waker;
  seam::Atomic<std::uint32_t> progress;
};

// A task that wakes itself, as yield_now() does, while it is also woken from outside.
struct WakesItself : TaskModel<WakesItself, 2> {
  void before() {
    TaskModel::before();
    waker = make_waker();
  }
  bool poll_future(Context& context) {
    if (++polls == 1) context.waker().wake_by_ref();
    return polls >= 2 && flag.load(relaxed) == 1;
  }
  void thread(unsigned i) {
    if (i == 1) return work();
    flag.store(1, relaxed);
    std::move(waker).wake();
  }
  int polls = 0;
  Waker waker;
  seam::Atomic<std::uint32_t> flag;
};

// The waker outlives the task: who lets go last deallocates it, and sees what all did.
struct LastReference : TaskModel<LastReference, 3> {
  void before() {
    TaskModel::before();
    wakers[0] = make_waker();
    wakers[1] = make_waker();
    handle.reset();
  }
  void thread(unsigned i) {
    if (i == 2) return work();
    touch(i);
    if (i == 0) {
      std::move(wakers[0]).wake();
    } else {
      wakers[1] = Waker();
    }
  }
  Waker wakers[2];
};

// A waker is copied and woken while the task completes.
struct CloneAndWakeAfterCompletion : TaskModel<CloneAndWakeAfterCompletion, 2> {
  void before() {
    TaskModel::before();
    waker = make_waker();
  }
  void thread(unsigned i) {
    if (i == 1) return work();
    const Waker copy = waker;
    copy.wake_by_ref();
    touch(0);
    std::move(waker).wake();
  }
  Waker waker;
};

// ------------------------------------------------------------------------------------------------------- aborting

// The future is never ready: only the abort ends it, and its destruction sees what came before the abort.
template <unsigned Aborters>
struct Abort : TaskModel<Abort<Aborters>, Aborters + 1> {
  bool poll_future(Context&) { return false; }
  void on_cancel() {
    bool any = false;
    for (const auto& flag : flags) any = any || flag.load(relaxed) != 0;
    check(any, "what came before the abort is visible to the destruction");
  }
  void thread(unsigned i) {
    if (i == Aborters) return this->work();
    flags[i].store(1, relaxed);
    this->handle->abort();
  }
  seam::Atomic<std::uint32_t> flags[Aborters];
};

struct AbortAndWake : TaskModel<AbortAndWake, 3> {
  void before() {
    TaskModel::before();
    waker = make_waker();
  }
  bool poll_future(Context&) { return flag.load(relaxed) != 0; }
  void thread(unsigned i) {
    if (i == 0) {
      handle->abort();
      handle.reset();
    } else if (i == 1) {
      flag.store(1, relaxed);
      std::move(waker).wake();
    } else {
      work();
    }
  }
  Waker waker;
  seam::Atomic<std::uint32_t> flag;
};

struct AbortAndJoin : TaskModel<AbortAndJoin, 2> {
  bool poll_future(Context&) { return false; }
  void thread(unsigned i) {
    if (i == 1) return work();
    handle->abort();
    join(joiner);
  }
  void after() {
    TaskModel::after();
    check(joiner.copies.read() == 0, "no waker is left");
  }
  Joiner joiner;
};

// A Scope that dies: its children are gone when end_now() and a join have returned, whoever destroyed them, for what
// they borrowed dies next.
struct EndNow : TaskModel<EndNow, 3> {
  void before() {
    TaskModel::before();
    waker = make_waker();
  }
  bool poll_future(Context&) {
    check(borrowed.read() == 1, "what the child borrows is there when it is polled");
    return flag.load(relaxed) != 0;
  }
  void on_cancel() { check(borrowed.read() == 1, "what the child borrows is there when it is destroyed"); }
  void thread(unsigned i) {
    if (i == 0) {
      handle->end_now();
      join(joiner);
      borrowed.write(0);
    } else if (i == 1) {
      flag.store(1, relaxed);
      std::move(waker).wake();
    } else {
      work();
    }
  }
  void after() {
    TaskModel::after();
    check(joiner.copies.read() == 0, "no waker is left");
  }
  Var<int> borrowed{1};
  Joiner joiner;
  Waker waker;
  seam::Atomic<std::uint32_t> flag;
};

// Somebody looks from outside where the task waits: no wake is lost, the future is there and is not polled meanwhile.
template <bool by_value>
struct InspectAndWake : TaskModel<InspectAndWake<by_value>, 3> {
  void before() {
    TaskModel<InspectAndWake, 3>::before();
    waker = this->make_waker();
  }
  bool poll_future(Context&) { return flag.load(relaxed) != 0; }
  void thread(unsigned i) {
    if (i == 0) {
      this->shared->inspect(this->task);
    } else if (i == 1) {
      flag.store(1, relaxed);
      by_value ? std::move(waker).wake() : waker.wake_by_ref();
      waker = Waker();
    } else {
      this->work();
    }
  }
  Waker waker;
  seam::Atomic<std::uint32_t> flag;
};

// The same while the task is aborted.
struct InspectAndAbort : TaskModel<InspectAndAbort, 3> {
  bool poll_future(Context&) { return false; }
  void thread(unsigned i) {
    if (i == 0) {
      shared->inspect(task);
    } else if (i == 1) {
      handle->abort();
      handle.reset();
    } else {
      work();
    }
  }
};

// A Scope that dies on the one thread that runs tasks: nobody else will destroy its children.
struct InspectAndEndNow : TaskModel<InspectAndEndNow, 2> {
  bool poll_future(Context&) {
    check(borrowed.read() == 1, "what the child borrows is there when it is polled");
    return false;
  }
  void on_cancel() { check(borrowed.read() == 1, "what the child borrows is there when it is destroyed"); }
  void thread(unsigned i) {
    if (i == 1) return static_cast<void>(shared->inspect(task));
    shared->poll(shared->next());
    handle->end_now();
    join(joiner);
    borrowed.write(0);
  }
  void after() {
    TaskModel::after();
    check(joiner.copies.read() == 0, "no waker is left");
  }
  Var<int> borrowed{1};
  Joiner joiner;
};

// -------------------------------------------------------------------------------------------------------- joining

template <class Derived, unsigned Threads>
struct JoinModel : TaskModel<Derived, Threads> {
  void after() {
    TaskModel<Derived, Threads>::after();
    for (const Joiner& joiner : joiners) check(joiner.copies.read() == 0, "no waker is left");
  }
  Joiner joiners[2];
};

struct Join : JoinModel<Join, 2> {
  void thread(unsigned i) {
    if (i == 1) return work();
    join(joiners[0]);
    handle.reset();
  }
};

// Polled with one waker, then with another: only the second one has to be woken.
struct JoinWithAnotherWaker : JoinModel<JoinWithAnotherWaker, 2> {
  void thread(unsigned i) {
    if (i == 1) return work();
    if (!poll_join(joiners[0])) join(joiners[1]);
  }
};

struct JoinHandleDropped : JoinModel<JoinHandleDropped, 2> {
  void thread(unsigned i) {
    if (i == 1) return work();
    touch(0);
    handle.reset();
  }
};

// The waker is dropped by exactly one: the handle, or the runtime that has just woken it.
struct JoinPolledThenDropped : JoinModel<JoinPolledThenDropped, 2> {
  void thread(unsigned i) {
    if (i == 1) return work();
    static_cast<void>(poll_join(joiners[0]));
    handle.reset();
  }
};

// Who waits for the end alone sees what the task did, too.
struct Finished : JoinModel<Finished, 2> {
  void thread(unsigned i) {
    if (i == 1) return work();
    {
      const BorrowedWaker waker(&joiners[0], &Joiner::vtable);
      Context context(waker.get());
      while (!handle->poll_finished(context)) joiners[0].woken.consume();
    }
    check(task->output.read() == value, "the end means that the output is there");
    handle.reset();
  }
};

struct IsFinished : JoinModel<IsFinished, 2> {
  void thread(unsigned i) {
    if (i == 1) return work();
    if (handle->is_finished()) check(task->output.read() == value, "finished means that the output is there");
  }
};

// -------------------------------------------------------------------------------------------------------- shutdown

// Shutdown finds the task idle, queued, or being polled.
struct Shutdown : TaskModel<Shutdown, 3> {
  void before() {
    TaskModel::before();
    waker = make_waker();
  }
  bool poll_future(Context&) { return flag.load(relaxed) != 0; }
  void thread(unsigned i) {
    if (i == 0) {
      flag.store(1, relaxed);
      std::move(waker).wake();
    } else if (i == 1) {
      shared->shut_down(task);
    } else {
      work();
    }
  }
  Waker waker;
  seam::Atomic<std::uint32_t> flag;
};

struct ShutdownAndAbort : TaskModel<ShutdownAndAbort, 3> {
  bool poll_future(Context&) { return false; }
  void thread(unsigned i) {
    if (i == 0) {
      handle->abort();
      handle.reset();
    } else if (i == 1) {
      shared->shut_down(task);
    } else {
      work();
    }
  }
};

struct ShutdownAndJoin : JoinModel<ShutdownAndJoin, 3> {
  bool poll_future(Context&) { return false; }
  void thread(unsigned i) {
    if (i == 0) {
      join(joiners[0]);
    } else if (i == 1) {
      shared->shut_down(task);
    } else {
      work();
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  using model::Search;
  model::Runner runner("task_state", argc, argv);
  runner.run<TwoWakers<false>>("two_wakers_by_reference");
  runner.run<TwoWakers<true>>("two_wakers_by_value");
  runner.run<TwoWorkers>("two_workers");
  runner.run<WakesItself>("wakes_itself");
  runner.run<LastReference>("last_reference_elsewhere");
  runner.run<CloneAndWakeAfterCompletion>("wake_after_completion");
  runner.run<Abort<1>>("abort_while_polled");
  runner.run<Abort<2>>("two_aborts");
  runner.run<AbortAndWake>("abort_and_complete");
  runner.run<EndNow>("end_now");
  runner.run<InspectAndWake<false>>("inspect_and_wake_by_reference");
  runner.run<InspectAndWake<true>>("inspect_and_wake_by_value");
  runner.run<InspectAndAbort>("inspect_and_abort");
  runner.run<InspectAndEndNow>("inspect_and_end_now");
  runner.run<AbortAndJoin>("abort_and_join");
  runner.run<Join>("join");
  runner.run<JoinWithAnotherWaker>("join_with_another_waker");
  runner.run<JoinHandleDropped>("join_handle_dropped");
  runner.run<JoinPolledThenDropped>("join_polled_then_dropped");
  runner.run<Finished>("finished");
  runner.run<IsFinished>("is_finished");
  runner.run<Shutdown>("shutdown_and_wake");
  runner.run<ShutdownAndAbort>("shutdown_and_abort");
  runner.run<ShutdownAndJoin>("shutdown_and_join");
  return runner.exit_code();
}
