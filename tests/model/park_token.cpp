// core/park_token.hpp, alone and in scheduler/thread_parker.hpp: no wake is lost, and every wake publishes.
//
// The owner waits for flags that it reads relaxed: it may rely on nothing but the token for seeing them. If a wake were
// consumed without its flag becoming visible, the owner would sleep for ever: a deadlock.
#include "harness.hpp"

#include <skua/core/park_token.hpp>
#include <skua/scheduler/thread_parker.hpp>

#include <skua/core/timekeeper.cpp>

using namespace skua;

namespace {

/// Sleeps as the reactor's drivers do: in a system call that an eventfd ends, which stays readable until it is read.
class Driver {
 public:
  void park() {
    if (!token_.begin_sleep()) return;
    eventfd_.consume();
    token_.end_sleep();
  }
  void unpark() {
    if (token_.wake()) eventfd_.set();
  }

 private:
  ParkToken token_;
  model::Event eventfd_;
};

using ThreadParker = scheduler::ThreadParker;

/// Thread 0 parks until it has seen the flags of all the wakers.
template <class Parker, unsigned Wakers>
struct FlagsOfAll : rl::test_suite<FlagsOfAll<Parker, Wakers>, Wakers + 1> {
  bool all_raised() const {
    for (const auto& flag : flags) {
      if (flag.load(std::memory_order_relaxed) == 0) return false;
    }
    return true;
  }
  void thread(unsigned i) {
    if (i == 0) {
      while (!all_raised()) parker.park();
    } else {
      flags[i - 1].store(1, std::memory_order_relaxed);
      parker.unpark();
    }
  }
  Parker parker;
  seam::Atomic<std::uint32_t> flags[Wakers];
};

/// One waker that wakes twice: the second may find the token notified already.
template <class Parker>
struct WokenTwice : rl::test_suite<WokenTwice<Parker>, 2> {
  void thread(unsigned i) {
    if (i == 0) {
      while (progress.load(std::memory_order_relaxed) != 2) parker.park();
    } else {
      progress.store(1, std::memory_order_relaxed);
      parker.unpark();
      progress.store(2, std::memory_order_relaxed);
      parker.unpark();
    }
  }
  Parker parker;
  seam::Atomic<std::uint32_t> progress;
};

/// Plain data: written before an unpark, read after the one park that it ends.
template <class Parker>
struct PlainData : rl::test_suite<PlainData<Parker>, 2> {
  void thread(unsigned i) {
    if (i == 0) {
      parker.park();
      model::check(data.read() == 42, "the waker's write is visible after the park");
    } else {
      data.write(42);
      parker.unpark();
    }
  }
  Parker parker;
  model::Var<int> data{0};
};

/// Two owners, each of whom wakes the other and waits for the other's wake.
struct PingPong : rl::test_suite<PingPong, 2> {
  void thread(unsigned i) {
    flags[i].store(1, std::memory_order_relaxed);
    parkers[1 - i].unpark();
    while (flags[1 - i].load(std::memory_order_relaxed) == 0) parkers[i].park();
  }
  Driver parkers[2];
  seam::Atomic<std::uint32_t> flags[2];
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("park_token", argc, argv);
  runner.run<PlainData<Driver>, model::Search::full>("driver_plain_data");
  runner.run<FlagsOfAll<Driver, 1>, model::Search::full>("driver_one_waker");
  runner.run<FlagsOfAll<Driver, 2>, model::Search::full>("driver_two_wakers");
  runner.run<WokenTwice<Driver>, model::Search::full>("driver_woken_twice");
  runner.run<PingPong, model::Search::full>("driver_ping_pong");
  runner.run<PlainData<ThreadParker>, model::Search::full>("thread_parker_plain_data");
  runner.run<FlagsOfAll<ThreadParker, 1>, model::Search::full>("thread_parker_one_waker");
  runner.run<FlagsOfAll<ThreadParker, 2>>("thread_parker_two_wakers");
  runner.run<WokenTwice<ThreadParker>, model::Search::full>("thread_parker_woken_twice");
  return runner.exit_code();
}
