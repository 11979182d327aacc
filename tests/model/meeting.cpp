// sync/barrier.hpp and latch.hpp: tasks that meet, are dropped on the way, and see what the others did before.
#include "sync.hpp"

#include <skua/sync/barrier.cpp>
#include <skua/sync/latch.hpp>
#include <skua/sync/semaphore.cpp>

#include <optional>

using namespace skua;
using model::check;
using model::Var;

namespace {

bool meet(Barrier& barrier) {
  auto wait = barrier.wait();
  return model::await(wait);
}

/// Two rounds: nobody is in the second before all have ended the first.
struct TwoRounds : rl::test_suite<TwoRounds, 2> {
  void before() { barrier.emplace(2); }
  void after() {
    check(firsts.load(std::memory_order_relaxed) == 2, "one leader a round");
    barrier.reset();
  }
  void thread(unsigned i) {
    for (int round = 0; round < 2; ++round) {
      if (i == static_cast<unsigned>(round)) data.add(1);
      if (meet(*barrier)) firsts.fetch_add(1, std::memory_order_relaxed);
      check(data.read() == round + 1, "what came before is seen");
      if (meet(*barrier)) continue;  // so that nobody writes while the other reads
    }
  }
  std::optional<Barrier> barrier;
  Var<int> data;
  seam::Atomic<std::uint32_t> firsts;
};

/// Who is dropped has not come, or has come and been let go: then the barrier is as new.
struct Dropped : rl::test_suite<Dropped, 3> {
  void before() { barrier.emplace(2); }
  void after() {
    {
      auto first = barrier->wait();
      auto second = barrier->wait();
      check(model::poll_once(first).is_pending(), "nobody has come yet");
      check(model::poll_once(second).is_ready(), "and two are enough");
      check(model::poll_once(first).is_ready(), "for both");
    }
    barrier.reset();
  }
  void thread(unsigned) {
    auto dropped = barrier->wait();
    static_cast<void>(model::poll_once(dropped));
  }
  std::optional<Barrier> barrier;
};

/// Three for a barrier of two, each with two looks: two at most go on, one of them as the last that came.
struct OneTooMany : rl::test_suite<OneTooMany, 3> {
  void before() { barrier.emplace(2); }
  void after() {
    const std::uint32_t last = lasts.load(std::memory_order_relaxed);
    check(last <= 1 && others.load(std::memory_order_relaxed) <= last, "two go on together");
    barrier.reset();
  }
  void thread(unsigned) {
    auto wait = barrier->wait();
    auto result = model::poll_once(wait);
    if (result.is_pending()) result = model::poll_once(wait);
    if (result.is_ready()) (result.value() ? lasts : others).fetch_add(1, std::memory_order_relaxed);
  }
  std::optional<Barrier> barrier;
  seam::Atomic<std::uint32_t> lasts;
  seam::Atomic<std::uint32_t> others;
};

struct LatchModel : rl::test_suite<LatchModel, 3> {
  void before() { latch.emplace(2); }
  void after() { latch.reset(); }
  void thread(unsigned i) {
    if (i < 2) {
      data[i].write(1);
      latch->count_down();
      return;
    }
    auto wait = latch->wait();
    model::await(wait);
    check(data[0].read() == 1 && data[1].read() == 1, "what came before count_down() is seen");
  }
  std::optional<Latch> latch;
  Var<int> data[2];
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("meeting", argc, argv);
  runner.run<TwoRounds>("two_rounds", 20);
  runner.run<Dropped>("dropped", 20);
  runner.run<OneTooMany>("one_too_many", 20);
  runner.run<LatchModel>("latch", 20);
  return runner.exit_code();
}
