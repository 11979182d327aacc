// current_thread.hpp in the loop of somebody else: between two calls of run_once() the worker counts as asleep there,
// and what makes a task ready makes the driver's descriptor readable, or the deadline that the loop was told an early
// one. A loop that sleeps on although there is something to do is a deadlock.
//
// CurrentThread, the driver with its wheel, who sleeps (Idle) and the inject queue are the production ones; the worker
// is a miniature whose tasks are numbers. Time does not pass: the deadlines are an hour and more away.
#include "driver_sources.hpp"
#include "loose_queue.hpp"

#include <skua/scheduler/idle.hpp>
#include <skua/scheduler/inject_queue.hpp>

// Compiled here, as a part of the model.
#include <skua/runtime/current_thread.cpp>

#include <array>
#include <memory>
#include <optional>

using namespace skua;
using namespace std::chrono_literals;
using model::check;
using model::Var;

// ------------------------------------------------------------------------------------------------------- the worker

namespace {

struct Item {
  Var<int> runs;
};

/// Its descriptor is readable from signal() until the driver reaps.
class LevelPoller final : public reactor::Poller {
 public:
  const char* name() const noexcept override { return "model"; }
  int arm(int, reactor::Token) override { return 0; }
  bool disarm(int, reactor::Token) override { return true; }
  bool flush() override { return true; }
  void wait(std::optional<Duration>) override { wait_readable(); }
  void reap(reactor::PollSink&, std::size_t) override {
    const seam::Lock lock(mutex_);
    readable_ = false;
  }
  void signal() noexcept override {
    {
      const seam::Lock lock(mutex_);
      readable_ = true;
    }
    condition_.notify_one();
  }

  /// As poll(2) in the foreign loop: leaves it readable.
  void wait_readable() {
    const seam::Lock lock(mutex_);
    while (!readable_) condition_.wait(mutex_);
  }

 private:
  seam::Mutex mutex_;
  seam::Condvar condition_;
  bool readable_ = false;
};

}  // namespace

namespace skua::scheduler {

class Worker {};

struct Scheduler::Shared {
  Shared() { latest = this; }
  static inline Shared* latest = nullptr;  // for the model: Scheduler keeps its own pointer private

  // Mirrors Scheduler::Shared::inject() and wake_one().
  void inject(Item* item) {
    check(inject_queue.push(item), "open");
    wake_one();
  }
  void wake_one() {
    if (idle.worker_to_wake() != no_worker) driver->wake();
  }

  Idle idle{1};
  InjectQueue<Item, model::LooseQueue<Item>> inject_queue;
  Ref<reactor::Driver> driver;
  Worker worker;
  bool searching = false;
  std::size_t ended = 0;
  std::size_t expected = 0;
};

Scheduler::Scheduler(std::vector<std::unique_ptr<Parker>>, Hooks, Measures) : shared_(std::make_unique<Shared>()) {}
Scheduler::~Scheduler() = default;
bool Scheduler::is_empty() { return shared_->ended == shared_->expected; }

// Whose task it is says nothing here.
StateScope::StateScope(const CurrentState&) noexcept : before_() {}
StateScope::~StateScope() {}

WorkerSeat::WorkerSeat(Scheduler& scheduler) : shared_(*scheduler.shared_), worker_(shared_.worker) {}
WorkerSeat::~WorkerSeat() = default;

// Mirrors Worker::run_next(), with the inject queue alone.
bool WorkerSeat::run(std::uint32_t most) {
  for (; most > 0; --most) {
    std::array<Item*, 1> batch;
    if (shared_.inject_queue.size() == 0 || shared_.inject_queue.pop({batch.data(), 1}) == 0) return false;
    if (std::exchange(shared_.searching, false) && shared_.idle.end_search() && shared_.inject_queue.has_work()) {
      shared_.wake_one();
    }
    check(batch[0]->runs.add(1) == 0, "a task runs once");
    ++shared_.ended;
  }
  return true;
}
void WorkerSeat::look() { shared_.driver->look(); }
// Mirror Worker::begin_sleep() and end_sleep().
void WorkerSeat::begin_sleep() {
  const bool nobody_searches = shared_.idle.begin_sleep(0, std::exchange(shared_.searching, false));
  if (nobody_searches && shared_.inject_queue.has_work()) shared_.wake_one();
}
void WorkerSeat::end_sleep() { shared_.searching = shared_.idle.end_sleep(0); }

}  // namespace skua::scheduler

// ------------------------------------------------------------------------------------------------------- the models

namespace {

constexpr Duration longest_that_ends = 90min;

template <class Derived, unsigned Threads, std::size_t Items>
struct EmbeddingModel : rl::test_suite<Derived, Threads> {
  void before() {
    runtime = new scheduler::Scheduler({});
    shared = scheduler::Scheduler::Shared::latest;
    shared->expected = Items;
    auto made = std::make_unique<LevelPoller>();
    poller = made.get();
    driver = make_ref<reactor::Driver>(std::move(made));
    shared->driver = driver;
    current.emplace(*runtime, driver);
  }
  void after() {
    for (const Item& item : items) check(item.runs.read() == 1, "each task has run");
    driver->cancel_timer(timer);
    current.reset();
    shared->driver = nullptr;
    driver = nullptr;
    runtime->drop_ref();
  }

  void inject(unsigned item) {
    items[item].runs.write(0);
    shared->inject(&items[item]);
  }
  /// The foreign loop: what is ready runs, and then it sleeps, unless its deadline is near.
  template <class Done>
  void loop_until(Done is_done) {
    for (;;) {
      const bool more = run_once();
      deadline_was_near = deadline_was_near || (!more && current->wake_at() < seam::now() + longest_that_ends);
      if (is_done()) return;
      if (!more && !deadline_was_near) poller->wait_readable();
    }
  }
  bool run_once() {
    const bool more = CurrentThread::Turn(*current).run_once();
    if (!more) check(current->wake_at() > seam::now(), "it says how long it may sleep, and nothing is due");
    return more;
  }
  bool all_ran() const { return shared->ended == Items; }

  scheduler::Scheduler* runtime = nullptr;
  scheduler::Scheduler::Shared* shared = nullptr;
  LevelPoller* poller = nullptr;
  Ref<reactor::Driver> driver;
  std::optional<CurrentThread> current;
  reactor::TimerEntry timer;
  bool deadline_was_near = false;
  Item items[Items == 0 ? 1 : Items];
};

// Tasks are made ready while the loop runs what is ready, is about to sleep, or sleeps.
struct Spawned : EmbeddingModel<Spawned, 2, 2> {
  void thread(unsigned i) {
    if (i == 0) {
      loop_until([this] { return all_ran(); });
    } else {
      inject(0);
      inject(1);
    }
  }
};

struct SpawnedByTwo : EmbeddingModel<SpawnedByTwo, 3, 2> {
  void thread(unsigned i) {
    if (i != 0) return inject(i - 1);
    loop_until([this] { return all_ran(); });
  }
};

// A timer that another thread arms ends a sleep that was to be for ever.
struct TimerArmed : EmbeddingModel<TimerArmed, 2, 1> {
  void before() {
    EmbeddingModel::before();
    inject(0);
  }
  void thread(unsigned i) {
    if (i == 1) return driver->arm_timer(timer, seam::now() + 1h, Waker::noop());
    loop_until([this] { return deadline_was_near && all_ran(); });
  }
};

// run_once() on one thread, then block_on() and a shutdown on another, which finds the worker asleep.
struct SeatChangesHands : EmbeddingModel<SeatChangesHands, 3, 1> {
  void thread(unsigned i) {
    if (i == 0) {
      while (run_once()) {
      }
      left.set();
    } else if (i == 1) {
      inject(0);
      stop.store(true, std::memory_order_release);
      driver->wake();
    } else {
      left.wait();
      CurrentThread::Turn turn(*current);
      turn.run_until(stop);
      check(turn.run_until_empty(Instant::max()), "no limit");
    }
  }
  model::Event left;
  seam::Atomic<bool> stop;
};

// As shutdown() drains.
struct UntilEmpty : EmbeddingModel<UntilEmpty, 2, 2> {
  void thread(unsigned i) {
    if (i == 0) {
      check(CurrentThread::Turn(*current).run_until_empty(Instant::max()), "no limit");
    } else {
      inject(0);
      inject(1);
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("embedding", argc, argv);
  runner.run<Spawned>("spawned");
  runner.run<SpawnedByTwo>("spawned_by_two");
  runner.run<TimerArmed>("timer_armed");
  runner.run<SeatChangesHands>("seat_changes_hands");
  runner.run<UntilEmpty>("until_empty");
  return runner.exit_code();
}
