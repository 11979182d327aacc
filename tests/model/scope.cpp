// task/scope.hpp: children that end while their scope is joined, cancelled or destroyed by the parent, and while their
// handles are awaited or dropped. The scope, its children's tasks and their state are the production code; what the
// children borrow is plain data, so that a child that is polled, or destroyed, after its scope is a race.
#include "miniature_scheduler.hpp"
#include "woken_thread.hpp"

#include <skua/task/scope.hpp>

// Compiled here, as a part of the model.
#include <skua/core/timekeeper.cpp>
#include <skua/task/cancellation_token.cpp>
#include <skua/task/scope.cpp>
#include <skua/task/woken_children.cpp>

#include <new>
#include <optional>
#include <source_location>
#include <utility>

using namespace skua;
using model::await;
using model::check;
using model::poll_once;
using model::Var;

// ------------------------------------------------------------------------- what the production sources need beside it

namespace skua {

namespace {
scheduler::Scheduler* runtime = nullptr;  // of the interleaving
}

template <Future F>
JoinHandle<Output<F>> spawn(F future, std::source_location at) {
  return runtime->spawn(std::move(future), at);
}
void scheduler::Scheduler::adopt(TaskHeader* task) {
  add_ref();
  task->scheduler = this;
  shared_->adopt(task);
  schedule(task);
}

// No parent here is a task of its own, and no frame of a coroutine is needed.
std::optional<TaskId> current_task_id() noexcept { return std::nullopt; }
void* frames::allocate(std::size_t size) { return ::operator new(size); }
void frames::deallocate(void* block, std::size_t) noexcept { ::operator delete(block); }

// Time passes at once: a grace is over when it is asked for.
Poll<void> Sleep::poll_without_budget(Context&) { return ready; }

// There is no driver; these are for the linker.
reactor::Driver::~Driver() = default;
void reactor::Driver::cancel_timer(TimerEntry&) {}
bool reactor::Driver::harvest() { return false; }
void reactor::Driver::wake() noexcept {}
Instant reactor::Driver::first_deadline() { return Instant::max(); }
void reactor::Driver::on_event(const PollEvent&) {}
void reactor::Driver::on_loss() {}

}  // namespace skua

// ----------------------------------------------------------------------------------------------------- the children

namespace {

/// What a child borrows from its parent, and what it leaves there.
struct Borrowed {
  Var<int> value{1};
  int destroyed = 0;
};

/// An output that borrows, too.
class BorrowingOutput {
 public:
  explicit BorrowingOutput(Borrowed& from) noexcept : from_(&from) {}
  BorrowingOutput(BorrowingOutput&& other) noexcept : from_(std::exchange(other.from_, nullptr)) {}
  BorrowingOutput& operator=(BorrowingOutput&& other) noexcept {
    std::swap(from_, other.from_);
    return *this;
  }
  ~BorrowingOutput() {
    if (from_ != nullptr) from_->value.add(1);
  }

 private:
  Borrowed* from_;
};

/// Writes to what it borrows in each poll and when it is destroyed.
class BorrowingFuture {
 public:
  explicit BorrowingFuture(Borrowed& from) noexcept : from_(&from) {}
  BorrowingFuture(BorrowingFuture&& other) noexcept : from_(std::exchange(other.from_, nullptr)) {}
  BorrowingFuture& operator=(BorrowingFuture&&) = delete;
  ~BorrowingFuture() {
    if (from_ == nullptr) return;
    from_->value.add(1);
    ++from_->destroyed;
  }

 protected:
  void touch() { from_->value.add(1); }
  Borrowed& borrowed() { return *from_; }

 private:
  Borrowed* from_;
};

struct NeverReady : BorrowingFuture {
  using BorrowingFuture::BorrowingFuture;
  Poll<void> poll(Context&) {
    touch();
    return pending;
  }
};
struct ReadyAtOnce : BorrowingFuture {
  using BorrowingFuture::BorrowingFuture;
  Poll<void> poll(Context&) {
    touch();
    return ready;
  }
};
struct ReadyWithOutput : BorrowingFuture {
  using BorrowingFuture::BorrowingFuture;
  Poll<BorrowingOutput> poll(Context&) {
    touch();
    return BorrowingOutput(borrowed());
  }
};
struct Failing : BorrowingFuture {
  using BorrowingFuture::BorrowingFuture;
  Poll<Result<void>> poll(Context&) {
    touch();
    return Result<void>(Error(std::errc::io_error, "child"));
  }
};

/// Thread 0 is the parent, the others are workers.
template <class Derived, unsigned Threads>
struct ScopeModel : rl::test_suite<Derived, Threads> {
  void before() {
    runtime = new scheduler::Scheduler({});
    shared = scheduler::Scheduler::Shared::latest;
    shared->alive = 1;  // the parent
  }
  void after() { runtime->drop_ref(); }
  void thread(unsigned i) {
    if (i != 0) return shared->work();
    static_cast<Derived*>(this)->be_parent();
    for (Borrowed& each : borrowed) {
      each.value.write(0);  // a child that is left would race
      check(each.destroyed == spawned, "each child is destroyed once, before what it borrows is");
    }
    shared->end_one();
  }

  int spawned = 1;  // with each of the borrowed
  scheduler::Scheduler::Shared* shared = nullptr;
  Borrowed borrowed[1];
};

// The parent leaves the block while a worker may be polling the child.
struct Destroyed : ScopeModel<Destroyed, 2> {
  void be_parent() {
    Scope scope;
    auto handle = scope.spawn(NeverReady(borrowed[0]));
  }
};

// The parent is on the only worker: nobody else would end the child.
struct DestroyedByTheOnlyWorker : ScopeModel<DestroyedByTheOnlyWorker, 2> {
  void thread(unsigned i) {
    if (i == 0) ScopeModel::thread(i);
  }
  void be_parent() {
    Scope scope;
    auto handle = scope.spawn(NeverReady(borrowed[0]));
    shared->poll(shared->next());
  }
};

struct DestroyedWithTwoWorkers : ScopeModel<DestroyedWithTwoWorkers, 3> {
  void be_parent() {
    Scope scope;
    auto first = scope.spawn(NeverReady(borrowed[0]));
    auto second = scope.spawn(ReadyAtOnce(other));
  }
  void after() {
    check(other.destroyed == 1, "the other child is destroyed once");
    ScopeModel::after();
  }
  Borrowed other;
};

struct Joined : ScopeModel<Joined, 2> {
  void be_parent() {
    Scope scope;
    auto handle = scope.spawn(ReadyAtOnce(borrowed[0]));
    check(await(scope.join()).has_value(), "no child has failed");
    borrowed[0].value.add(1);  // nobody else has it any more
    check(await(std::move(handle)).has_value(), "the child was not cancelled");
  }
};

// A join that is dropped loses nothing.
struct JoinDropped : ScopeModel<JoinDropped, 2> {
  void be_parent() {
    Scope scope;
    auto handle = scope.spawn(ReadyAtOnce(borrowed[0]));
    {
      auto dropped = scope.join();
      static_cast<void>(poll_once(dropped));
    }
    check(await(scope.join()).has_value(), "no child has failed");
  }
};

// The first failure cancels the other child, which nothing else would end.
struct FirstErrorCancels : ScopeModel<FirstErrorCancels, 3> {
  void be_parent() {
    Scope scope;
    auto waiting = scope.spawn(NeverReady(borrowed[0]));
    auto failing = scope.spawn(Failing(other));
    const auto outcome = await(scope.join());
    check(!outcome.has_value() && outcome.error() == std::errc::io_error, "the error is the join's");
    check(!await(std::move(waiting)).has_value(), "the other child was cancelled");
  }
  void after() {
    check(other.destroyed == 1, "the child that failed is destroyed once");
    ScopeModel::after();
  }
  Borrowed other;
};

struct Cancelled : ScopeModel<Cancelled, 2> {
  void be_parent() {
    Scope scope;
    auto handle = scope.spawn(NeverReady(borrowed[0]));
    scope.cancel();
    check(await(scope.join()).has_value(), "a cancelled scope has not failed");
    check(!await(std::move(handle)).has_value(), "the child was cancelled");
  }
};

// The handle tells of the end before the scope is asked.
struct HandleAwaited : ScopeModel<HandleAwaited, 2> {
  void be_parent() {
    Scope scope;
    auto handle = scope.spawn(ReadyWithOutput(borrowed[0]));
    auto output = await(std::move(handle));
    check(output.has_value(), "the child was not cancelled");
    borrowed[0].value.add(1);  // the future is gone, the output is ours
  }
};

// The output that nobody takes dies with the scope, or with the handle if that goes last; never later.
struct HandleDropped : ScopeModel<HandleDropped, 2> {
  void be_parent() {
    Scope scope;
    {
      auto dropped = scope.spawn(ReadyWithOutput(borrowed[0]));
    }
    check(await(scope.join()).has_value(), "no child has failed");
    borrowed[0].value.add(1);
  }
};
struct HandleOutlivesScope : ScopeModel<HandleOutlivesScope, 2> {
  void be_parent() {
    std::optional<ScopedJoinHandle<BorrowingOutput>> handle;
    {
      Scope scope;
      handle.emplace(scope.spawn(ReadyWithOutput(borrowed[0])));
    }
    borrowed[0].value.add(1);
    handle.reset();
  }
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("scope", argc, argv);
  runner.run<Destroyed>("destroyed", 4);
  runner.run<DestroyedByTheOnlyWorker>("destroyed_by_the_only_worker", 4);
  runner.run<DestroyedWithTwoWorkers>("destroyed_with_two_workers", 4);
  runner.run<Joined>("joined", 4);
  runner.run<JoinDropped>("join_dropped", 4);
  runner.run<FirstErrorCancels>("first_error_cancels", 4);
  runner.run<Cancelled>("cancelled", 4);
  runner.run<HandleAwaited>("handle_awaited", 4);
  runner.run<HandleDropped>("handle_dropped", 4);
  runner.run<HandleOutlivesScope>("handle_outlives_scope", 4);
  return runner.exit_code();
}
