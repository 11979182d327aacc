// What the scheduler costs: spawn, join, yield, wake, nested awaits. Each result is checked.
#include <skua/skua.hpp>

#include <benchmark/benchmark.h>

#include <atomic>
#include <stdexcept>
#include <vector>

using namespace skua;

namespace {

void require(bool correct) {
  if (!correct) throw std::logic_error("a benchmark computed a wrong result");
}

Task<long> identity(long value) { co_return value; }

Task<long> await_nested(long count) {
  long sum = 0;
  for (long i = 0; i < count; ++i) sum += co_await identity(1);
  co_return sum;
}

Task<long> spawn_and_join(long count) {
  long sum = 0;
  for (long i = 0; i < count; ++i) sum += (co_await spawn(identity(1))).value();
  co_return sum;
}

Task<long> yield_often(long count) {
  for (long i = 0; i < count; ++i) co_await yield_now();
  co_return count;
}

Task<long> yield_in_tasks(long tasks, long count) {
  std::vector<JoinHandle<long>> handles;
  for (long i = 0; i < tasks; ++i) handles.push_back(spawn(yield_often(count / tasks)));
  long sum = 0;
  for (auto& handle : handles) sum += (co_await handle).value();
  co_return sum;
}

// A ball that two tasks hand to each other: the flag and the waker of a one-slot mailbox under any executor.
class Mailbox {
 public:
  Poll<void> poll(Context& context) {
    if (full_.exchange(false, std::memory_order_acq_rel)) return ready;
    waker_ = context.waker();
    return pending;
  }
  void put() {
    full_.store(true, std::memory_order_release);
    std::exchange(waker_, Waker()).wake();
  }

 private:
  std::atomic<bool> full_{false};
  Waker waker_;  // one worker: no two threads are here at once
};

Task<long> player(Mailbox& mine, Mailbox& other, long count) {
  for (long i = 0; i < count; ++i) {
    co_await mine;
    other.put();
  }
  co_return count;
}

Task<long> ping_pong(long count) {
  Mailbox left;
  Mailbox right;
  auto first = spawn(player(left, right, count));
  auto second = spawn(player(right, left, count));
  co_await yield_now();
  left.put();
  co_return ((co_await first).value() + (co_await second).value()) / 2;
}

Task<long> arm_and_cancel(long count) {
  for (long i = 0; i < count; ++i) {
    auto first = co_await select(sleep(std::chrono::seconds(100)), yield_now());
    require(first.index() == 1);
  }
  co_return count;
}

template <class Body>
void run(benchmark::State& state, long count, Body body) {
  Runtime runtime = Builder().workers(static_cast<std::uint32_t>(state.range(0))).build().value();
  for (auto _ : state) {
    auto handle = runtime.spawn(body(count));
    require(runtime.block_on(std::move(handle)).value() == count);
  }
  state.SetItemsProcessed(state.iterations() * count);
}

void nested_await(benchmark::State& state) { run(state, 100'000, await_nested); }
void spawn_join(benchmark::State& state) { run(state, 100'000, spawn_and_join); }
void yield_one(benchmark::State& state) { run(state, 100'000, yield_often); }
void yield_thousand(benchmark::State& state) {
  run(state, 100'000, [](long count) { return yield_in_tasks(1000, count); });
}
void ping_pong_round_trip(benchmark::State& state) { run(state, 100'000, ping_pong); }
void timer_arm_cancel(benchmark::State& state) { run(state, 100'000, arm_and_cancel); }

}  // namespace

BENCHMARK(nested_await)->Arg(1)->UseRealTime();
BENCHMARK(spawn_join)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(yield_one)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(yield_thousand)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(ping_pong_round_trip)->Arg(1)->UseRealTime();
BENCHMARK(timer_arm_cancel)->Arg(1)->Arg(2)->UseRealTime();
