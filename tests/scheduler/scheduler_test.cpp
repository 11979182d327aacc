// The life of tasks on workers that sleep on a condition variable: no reactor.
#include <skua/core/random.hpp>
#include <skua/core/task.hpp>
#include <skua/scheduler/scheduler.hpp>
#include <skua/scheduler/thread_parker.hpp>

#include "../support/probe.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace skua::scheduler {

using namespace tests;

namespace {

/// A scheduler that runs until the object is destroyed.
class Running {
 public:
  explicit Running(std::uint32_t workers) {
    std::vector<std::unique_ptr<Parker>> parkers;
    for (std::uint32_t i = 0; i < workers; ++i) parkers.push_back(std::make_unique<ThreadParker>());
    scheduler_ = make_ref<Scheduler>(std::move(parkers));
    scheduler_->start("test", [](std::uint32_t) {});
  }
  ~Running() { shutdown(); }
  void shutdown() {
    if (!scheduler_) return;
    scheduler_->shutdown();
    scheduler_->forget_refused_tasks();
    scheduler_ = nullptr;
  }
  template <Future F>
  JoinHandle<Output<F>> spawn(F future) {
    return scheduler_->spawn(std::move(future), std::source_location::current());
  }
  Scheduler& operator*() { return *scheduler_; }
  Scheduler* operator->() { return scheduler_.get(); }

 private:
  Ref<Scheduler> scheduler_;
};

template <class T>
JoinResult<T> join(JoinHandle<T>& handle) {
  auto result = await_within(handle);
  if (!result) throw std::runtime_error("the task does not end");
  return *std::move(result);
}

class [[nodiscard]] YieldOnce {
 public:
  YieldOnce() = default;
  Poll<void> poll(Context& context) {
    if (std::exchange(yielded_, true)) return ready;
    context.waker().wake_by_ref();
    return pending;
  }

 private:
  bool yielded_ = false;
};

/// Notes that it was destroyed, and whether on a worker.
class OnWorker {
 public:
  struct Log {
    std::atomic<int> made{0};
    std::atomic<int> on_worker{0};
    std::atomic<int> elsewhere{0};
    int destroyed() const { return on_worker.load() + elsewhere.load(); }
  };
  explicit OnWorker(Log& log) noexcept : log_(&log) { log_->made.fetch_add(1); }
  OnWorker(OnWorker&& other) noexcept : log_(std::exchange(other.log_, nullptr)) {}
  OnWorker& operator=(OnWorker&&) = delete;
  ~OnWorker() {
    if (log_ != nullptr) (on_worker_thread() ? log_->on_worker : log_->elsewhere).fetch_add(1);
  }

 private:
  Log* log_;
};

Task<int> value(int of) { co_return of; }
Task<std::unique_ptr<int>> pointer(int to) { co_return std::make_unique<int>(to); }
Task<> nothing() { co_return; }
Task<int> throws() {
  throw std::runtime_error("thrown by the task");
  co_return 0;
}
Task<> waits(Gate& gate, OnWorker) { co_await gate.wait(); }
Task<int> waits_for_value(Gate& gate, int of) {
  co_await gate.wait();
  co_return of;
}
/// Keeps its worker until `release` is set.
Task<> occupies(std::atomic<bool>& running, std::atomic<bool>& release) {
  running = true;
  while (!release) std::this_thread::yield();
  co_return;
}

// --- Joining --------------------------------------------------------------------------------------------------------

TEST(scheduler, join_yields_the_output) {
  Running scheduler(2);
  auto number = scheduler.spawn(value(42));
  EXPECT_EQ(join(number).value(), 42);
  auto unique = scheduler.spawn(pointer(7));
  EXPECT_EQ(*join(unique).value(), 7);
  auto none = scheduler.spawn(nothing());
  EXPECT_TRUE(join(none).has_value());
  auto leaf = scheduler.spawn(ReadyWith<std::string>("a future that is no coroutine"));
  EXPECT_EQ(join(leaf).value(), "a future that is no coroutine");
}

TEST(scheduler, exception_arrives_at_the_join_and_value_rethrows_it) {
  Running scheduler(1);
  auto handle = scheduler.spawn(throws());
  const JoinResult<int> result = join(handle);
  ASSERT_FALSE(result.has_value());
  EXPECT_FALSE(result.error().is_cancelled());
  EXPECT_NE(result.error().exception(), nullptr);
  try {
    static_cast<void>(result.value());
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "thrown by the task");
  }
  auto after = scheduler.spawn(value(1));
  EXPECT_EQ(join(after).value(), 1) << "the worker goes on";
}

TEST(scheduler, task_that_throws_after_it_was_detached_harms_nobody) {
  Running scheduler(1);
  for (int i = 0; i < 100; ++i) scheduler.spawn(throws()).detach();
  auto after = scheduler.spawn(value(1));
  EXPECT_EQ(join(after).value(), 1);
}

Task<int> sums_children(Running& scheduler, int depth) {
  if (depth == 0) co_return 1;
  auto left = scheduler.spawn(sums_children(scheduler, depth - 1));
  auto right = scheduler.spawn(sums_children(scheduler, depth - 1));
  co_return (co_await left).value() + (co_await right).value();
}

TEST(scheduler, tasks_join_a_tree_of_tasks) {
  Running scheduler(2);
  auto handle = scheduler.spawn(sums_children(scheduler, 12));
  EXPECT_EQ(join(handle).value(), 4096);
  EXPECT_TRUE(eventually([&] { return scheduler->alive_tasks() == 0; }));
}

TEST(scheduler, latest_joiner_is_the_one_that_is_woken) {
  Running scheduler(1);
  Gate gate;
  auto handle = scheduler.spawn(waits_for_value(gate, 3));
  CountedContext first, second;
  EXPECT_TRUE(handle.poll(first).is_pending());
  EXPECT_TRUE(handle.poll(second).is_pending());
  EXPECT_TRUE(handle.poll(second).is_pending());
  gate.open();
  EXPECT_TRUE(eventually([&] { return second.wakes() == 1; }));
  EXPECT_EQ(first.wakes(), 0);
  EXPECT_EQ(join(handle).value(), 3);
}

TEST(scheduler, dropping_the_handle_detaches) {
  Running scheduler(2);
  Gate gate;
  OnWorker::Log log;
  scheduler.spawn(waits(gate, OnWorker(log))).detach();
  EXPECT_TRUE(eventually([&] { return gate.waiting() == 1; }));
  EXPECT_EQ(log.destroyed(), 0);
  gate.open();
  EXPECT_TRUE(eventually([&] { return log.destroyed() == 1; }));
  EXPECT_EQ(log.elsewhere.load(), 0);
}

TEST(scheduler, is_finished_only_when_the_future_is_destroyed) {
  std::atomic<bool> in_destructor{false}, release{false};
  struct Slow {
    std::atomic<bool>&in, &go;
    ~Slow() {
      in = true;
      while (!go) std::this_thread::yield();
    }
  };
  auto body = [](std::unique_ptr<Slow> slow) -> Task<int> {
    const auto kept = std::move(slow);
    co_return 1;
  };
  Running scheduler(1);
  auto handle = scheduler.spawn(body(std::unique_ptr<Slow>(new Slow{in_destructor, release})));
  EXPECT_TRUE(eventually([&] { return in_destructor.load(); }));
  EXPECT_FALSE(handle.is_finished());
  release = true;
  EXPECT_EQ(join(handle).value(), 1);
}

Task<int> after_some_polls(Gate& gate) {
  co_await gate.wait();
  co_return 10;
}

TEST(scheduler, a_task_that_was_polled_before_goes_on_where_it_was) {
  Running scheduler(2);
  Gate gate;
  CountedContext context;
  Task<int> task = after_some_polls(gate);
  EXPECT_TRUE(task.poll(context).is_pending());
  auto handle = scheduler.spawn(std::move(task));
  EXPECT_TRUE(eventually([&] { return gate.polls() == 2; }));
  gate.open();
  EXPECT_EQ(join(handle).value(), 10);
}

TEST(scheduler, output_is_taken_after_the_end_and_once_or_the_program_ends) {
  const auto take_too_early = [] {
    Running scheduler(1);
    Gate gate;
    auto handle = scheduler.spawn(after_some_polls(gate));
    std::ignore = handle.take_output();
  };
  EXPECT_DEATH(take_too_early(), "the output of a task was taken before the task had ended, or twice");
  const auto take_twice = [] {
    Running scheduler(1);
    Gate gate;
    gate.open();
    auto handle = scheduler.spawn(after_some_polls(gate));
    if (join(handle).value() == 10) std::ignore = handle.take_output();
  };
  EXPECT_DEATH(take_twice(), "the output of a task was taken before the task had ended, or twice");
}

// --- Abort ----------------------------------------------------------------------------------------------------------

TEST(scheduler, aborted_before_its_first_poll_it_never_runs) {
  Running scheduler(1);
  std::atomic<bool> running{false}, release{false}, ran{false};
  OnWorker::Log log;
  auto blocker = scheduler.spawn(occupies(running, release));
  ASSERT_TRUE(eventually([&] { return running.load(); }));
  auto body = [](std::atomic<bool>& started, OnWorker) -> Task<> {
    started = true;
    co_return;
  };
  auto handle = scheduler.spawn(body(ran, OnWorker(log)));
  handle.abort();
  handle.abort();
  release = true;
  EXPECT_TRUE(join(handle).error().is_cancelled());
  EXPECT_FALSE(ran.load());
  EXPECT_EQ(log.on_worker.load(), 1);
  EXPECT_EQ(log.elsewhere.load(), 0);
  EXPECT_TRUE(join(blocker).has_value());
}

TEST(scheduler, aborted_by_a_foreign_thread_while_it_waits_it_is_destroyed_on_a_worker) {
  Running scheduler(2);
  for (int i = 0; i < 200; ++i) {
    Gate gate;
    OnWorker::Log log;
    auto handle = scheduler.spawn(waits(gate, OnWorker(log)));
    ASSERT_TRUE(eventually([&] { return gate.waiting() == 1; }));
    handle.abort();
    const auto result = join(handle);
    ASSERT_TRUE(result.error().is_cancelled());
    EXPECT_EQ(result.error().code(), std::errc::operation_canceled);
    EXPECT_THROW(result.value(), std::system_error);
    EXPECT_EQ(log.on_worker.load(), 1);
    EXPECT_EQ(log.elsewhere.load(), 0);
    gate.open();  // wakes what is no more
  }
}

TEST(scheduler, aborted_while_running_it_ends_at_its_next_await) {
  Running scheduler(1);
  std::atomic<bool> running{false}, release{false}, beyond{false};
  Gate gate;
  OnWorker::Log log;
  auto body = [](std::atomic<bool>& r, std::atomic<bool>& go, std::atomic<bool>& b, Gate& at, OnWorker) -> Task<> {
    r = true;
    while (!go) std::this_thread::yield();
    co_await at.wait();
    b = true;
  };
  auto handle = scheduler.spawn(body(running, release, beyond, gate, OnWorker(log)));
  ASSERT_TRUE(eventually([&] { return running.load(); }));
  handle.abort();
  EXPECT_FALSE(handle.is_finished());
  release = true;
  EXPECT_TRUE(join(handle).error().is_cancelled());
  EXPECT_FALSE(beyond.load());
  EXPECT_EQ(log.on_worker.load(), 1);
}

TEST(scheduler, abort_after_completion_changes_nothing) {
  Running scheduler(1);
  auto handle = scheduler.spawn(value(5));
  ASSERT_TRUE(eventually([&] { return handle.is_finished(); }));
  handle.abort();
  EXPECT_EQ(join(handle).value(), 5);
}

TEST(scheduler, aborted_and_dropped_at_once_it_is_still_destroyed) {
  Running scheduler(2);
  OnWorker::Log log;
  Gate gate;
  constexpr int tasks = 500;
  for (int i = 0; i < tasks; ++i) {
    auto handle = scheduler.spawn(waits(gate, OnWorker(log)));
    if (i % 2 == 0) std::this_thread::yield();
    handle.abort();
  }
  EXPECT_TRUE(eventually([&] { return log.destroyed() == tasks; }));
  EXPECT_EQ(log.elsewhere.load(), 0);
}

TEST(scheduler, aborts_race_with_wakes_and_completions) {
  Running scheduler(2);
  OnWorker::Log log;
  for (int i = 0; i < scaled(2000, 400); ++i) {
    Gate gate;
    auto handle = scheduler.spawn(waits(gate, OnWorker(log)));
    std::thread opener([&] { gate.open(); });
    handle.abort();
    const auto result = join(handle);
    opener.join();
    EXPECT_TRUE(result || result.error().is_cancelled());
  }
  EXPECT_EQ(log.destroyed(), log.made.load());
  EXPECT_EQ(log.elsewhere.load(), 0);
}

// --- Wakers that outlive --------------------------------------------------------------------------------------------

struct KeepsWaker {
  explicit KeepsWaker(std::vector<Waker>& kept, std::atomic<int>& done) : to(&kept), polls(&done) {}
  Poll<int> poll(Context& context) {
    to->push_back(context.waker());
    return polls->fetch_add(1) == 0 ? Poll<int>(pending) : Poll<int>(1);
  }
  std::vector<Waker>* to;
  std::atomic<int>* polls;
};

TEST(scheduler, wake_after_completion_does_nothing) {
  Running scheduler(1);
  std::vector<Waker> kept;
  std::atomic<int> polls{0};
  auto handle = scheduler.spawn(KeepsWaker(kept, polls));
  ASSERT_TRUE(eventually([&] { return polls.load() == 1; }));
  kept.front().wake_by_ref();
  EXPECT_EQ(join(handle).value(), 1);
  for (int i = 0; i < 10; ++i) {
    for (const Waker& waker : kept) waker.wake_by_ref();
  }
  for (Waker& waker : kept) std::move(waker).wake();
  auto after = scheduler.spawn(value(1));
  EXPECT_EQ(join(after).value(), 1);
  EXPECT_EQ(polls.load(), 2);
}

TEST(scheduler, wakers_may_outlive_the_scheduler) {
  std::vector<Waker> kept;
  std::atomic<int> polls{0};
  {
    Running scheduler(1);
    auto handle = scheduler.spawn(KeepsWaker(kept, polls));
    ASSERT_TRUE(eventually([&] { return polls.load() == 1; }));
  }
  ASSERT_EQ(kept.size(), 1u);
  const Waker copy = kept.front();
  copy.wake_by_ref();
  std::move(kept.front()).wake();
  EXPECT_EQ(polls.load(), 1);
}

TEST(scheduler, join_handle_may_outlive_the_scheduler) {
  Gate gate;
  OnWorker::Log log;
  std::optional<Running> scheduler(std::in_place, 2);
  auto handle = scheduler->spawn(waits(gate, OnWorker(log)));
  auto finished = scheduler->spawn(value(8));
  ASSERT_TRUE(eventually([&] { return finished.is_finished(); }));
  scheduler.reset();
  EXPECT_TRUE(join(handle).error().is_cancelled());
  EXPECT_EQ(join(finished).value(), 8);
  handle.abort();
  EXPECT_EQ(log.destroyed(), 1);
}

// --- Shutdown -------------------------------------------------------------------------------------------------------

Task<> wakes_itself_for_ever(OnWorker) {
  for (;;) co_await YieldOnce();
}

TEST(scheduler, shutdown_destroys_every_task_on_a_worker) {
  OnWorker::Log log;
  Gate gate;
  {
    Running scheduler(2);
    for (int i = 0; i < 500; ++i) scheduler.spawn(waits(gate, OnWorker(log))).detach();
    for (int i = 0; i < 20; ++i) scheduler.spawn(wakes_itself_for_ever(OnWorker(log))).detach();
  }
  EXPECT_EQ(log.made.load(), 520);
  EXPECT_EQ(log.on_worker.load(), 520);
  EXPECT_EQ(log.elsewhere.load(), 0);
}

TEST(scheduler, spawns_that_race_with_shutdown_lose_no_task) {
  for (int round = 0; round < scaled(100, 25); ++round) {
    OnWorker::Log log;
    Gate gate;
    Running running(2);
    const Ref<Scheduler> scheduler = Ref<Scheduler>::share(&*running);
    std::atomic<bool> stop{false};
    std::vector<std::thread> spawners;
    for (int i = 0; i < 3; ++i) {
      spawners.emplace_back([&] {
        for (int n = 0; n < 5000 && !stop; ++n) {
          auto handle = scheduler->spawn(waits(gate, OnWorker(log)), std::source_location::current());
          if (n % 7 == 0) gate.rattle();
          if (n % 5 == 0) handle.abort();
        }
      });
    }
    ASSERT_TRUE(eventually([&] { return log.made.load() > round * 10; }));
    running.shutdown();
    stop = true;
    for (auto& spawner : spawners) spawner.join();
    gate.open();
    EXPECT_EQ(log.destroyed(), log.made.load());
  }
}

TEST(scheduler, destructors_that_spawn_and_wake_during_shutdown_are_served) {
  OnWorker::Log log;
  Gate gate;
  struct Meddles {
    Scheduler* scheduler;
    Gate* gate;
    OnWorker::Log* log;
    ~Meddles() {
      gate->rattle();
      scheduler->spawn(waits(*gate, OnWorker(*log)), std::source_location::current()).detach();
    }
  };
  auto body = [](Gate& at, std::unique_ptr<Meddles>) -> Task<> { co_await at.wait(); };
  {
    Running scheduler(2);
    for (int i = 0; i < 200; ++i) {
      scheduler.spawn(body(gate, std::unique_ptr<Meddles>(new Meddles{&*scheduler, &gate, &log}))).detach();
    }
  }
  EXPECT_EQ(log.made.load(), 200);
  EXPECT_EQ(log.destroyed(), 200);
}

// --- Scheduling -----------------------------------------------------------------------------------------------------

Task<> spawns_many(Running& scheduler, std::vector<std::atomic<int>>& runs) {
  auto body = [](std::atomic<int>& run) -> Task<> {
    run.fetch_add(1);
    co_return;
  };
  for (auto& run : runs) scheduler.spawn(body(run)).detach();
  co_return;
}

TEST(scheduler, ten_thousand_spawns_of_one_task_all_run_once) {
  for (const std::uint32_t workers : {1u, 2u}) {
    std::vector<std::atomic<int>> runs(10'000);
    Running scheduler(workers);
    auto handle = scheduler.spawn(spawns_many(scheduler, runs));
    EXPECT_TRUE(join(handle).has_value());
    EXPECT_TRUE(eventually([&] { return scheduler->alive_tasks() == 0; }));
    for (const auto& run : runs) ASSERT_EQ(run.load(), 1);
  }
}

/// Two tasks that wake each other and nobody else, until told to stop.
struct PingPong {
  class [[nodiscard]] Turn {
   public:
    Turn(PingPong& game, int side) : game_(game), side_(side) {}
    Poll<void> poll(Context& context) {
      const std::lock_guard lock(game_.mutex);
      if (game_.stop || game_.turn == side_) return ready;
      game_.wakers[side_] = context.waker();
      return pending;
    }

   private:
    PingPong& game_;
    int side_;
  };
  Task<> play(int side) {
    while (!stop) {
      co_await Turn(*this, side);
      Waker other;
      {
        const std::lock_guard lock(mutex);
        turn = 1 - side;
        ++hits;
        other = std::exchange(wakers[1 - side], Waker());
      }
      std::move(other).wake();
    }
  }
  void end() {
    stop = true;
    for (int side : {0, 1}) {
      Waker waker;
      {
        const std::lock_guard lock(mutex);
        waker = std::exchange(wakers[side], Waker());
      }
      std::move(waker).wake();
    }
  }
  std::mutex mutex;
  std::atomic<bool> stop{false};
  int turn = 0;
  std::atomic<int> hits{0};
  Waker wakers[2];
};

Task<int> counts_hits_between_its_polls(PingPong& game, int polls) {
  int most = 0;
  for (int i = 0; i < polls; ++i) {
    const int before = game.hits;
    co_await YieldOnce();
    most = std::max(most, game.hits - before);
  }
  co_return most;
}

TEST(scheduler, two_tasks_that_wake_each_other_do_not_keep_the_worker) {
  Running scheduler(1);
  PingPong game;
  auto left = scheduler.spawn(game.play(0));
  auto right = scheduler.spawn(game.play(1));
  ASSERT_TRUE(eventually([&] { return game.hits > 100; }));
  auto third = scheduler.spawn(counts_hits_between_its_polls(game, 1000));
  const JoinResult<int> most = join(third);
  game.end();
  // Two runs of one task and three of the LIFO slot, each way; with room for what the inject queue brings in between.
  EXPECT_LE(most.value(), 20);
  EXPECT_TRUE(join(left).has_value());
  EXPECT_TRUE(join(right).has_value());
}

TEST(scheduler, tasks_from_outside_run_although_a_worker_never_idles) {
  OnWorker::Log log;
  Running scheduler(1);
  for (int i = 0; i < 300; ++i) scheduler.spawn(wakes_itself_for_ever(OnWorker(log))).detach();
  for (int i = 0; i < 20; ++i) {
    auto handle = scheduler.spawn(value(i));
    EXPECT_EQ(join(handle).value(), i);
  }
}

TEST(scheduler, tasks_run_beside_a_worker_that_is_occupied) {
  Running scheduler(2);
  std::atomic<bool> running{false}, release{false};
  auto blocker = scheduler.spawn(occupies(running, release));
  ASSERT_TRUE(eventually([&] { return running.load(); }));
  for (int i = 0; i < 1000; ++i) {
    auto handle = scheduler.spawn(value(i));
    ASSERT_EQ(join(handle).value(), i);
  }
  release = true;
  EXPECT_TRUE(join(blocker).has_value());
}

TEST(scheduler, no_wake_is_lost_between_bursts_and_sleep) {
  for (const std::uint32_t workers : {1u, 2u}) {
    Running scheduler(workers);
    for (int i = 0; i < scaled(50'000, 5'000); ++i) {
      auto handle = scheduler.spawn(value(i));
      // Polled without sleeping at times, so that the workers are caught in different states.
      if (i % 3 == 0) {
        const auto end = std::chrono::steady_clock::now() + watchdog;
        while (!handle.is_finished()) ASSERT_LT(std::chrono::steady_clock::now(), end) << "cycle " << i;
      }
      ASSERT_EQ(join(handle).value(), i);
    }
  }
}

TEST(scheduler, wakes_from_four_threads_are_all_seen) {
  Running scheduler(2);
  constexpr int rounds = scaled(5000, 1000);
  struct Mailbox {
    std::mutex mutex;
    int letters = 0;
    Waker reader;
    Poll<int> poll(Context& context) {
      const std::lock_guard lock(mutex);
      if (letters != 0) return std::exchange(letters, 0);
      reader = context.waker();
      return pending;
    }
  };
  struct Letters {
    explicit Letters(Mailbox& from) : box(from) {}
    Poll<int> poll(Context& context) { return box.poll(context); }
    Mailbox& box;
  };
  Mailbox box;
  auto reads = [](Mailbox& from) -> Task<int> {
    int read = 0;
    while (read < 4 * rounds) read += co_await Letters(from);
    co_return read;
  };
  auto handle = scheduler.spawn(reads(box));
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([&] {
      for (int n = 0; n < rounds; ++n) {
        Waker waker;
        {
          const std::lock_guard lock(box.mutex);
          ++box.letters;
          waker = std::exchange(box.reader, Waker());
        }
        std::move(waker).wake();
      }
    });
  }
  EXPECT_EQ(join(handle).value(), 4 * rounds);
  for (auto& writer : writers) writer.join();
}

}  // namespace
}  // namespace skua::scheduler
