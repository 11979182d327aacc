// core/timekeeper.hpp with scheduler/thread_parker.hpp: time passes only when nobody has anything to do, and then it
// does.
//
// Each thread has timers at known instants and work to do when one has fired. Time that is moved to an instant while
// the work of an earlier one is not done has overtaken somebody. Time that nobody moves is a deadlock.
#include "harness.hpp"

#include <skua/core/timekeeper.hpp>
#include <skua/scheduler/thread_parker.hpp>

#include <optional>

#include <skua/core/timekeeper.cpp>

using namespace skua;
using model::check;
using scheduler::ThreadParker;

namespace {

constexpr Instant at(int instant) { return Instant(Duration(instant)); }

/// Whose thread this is: what a thread wakes on its own behalf stands in its own queue, and needs no unpark.
unsigned this_thread() { return rl::thread_index(); }

/// Timers: the one of number i fires at instant i + 1, for the thread of that number unless the model says otherwise.
template <class Derived, unsigned Threads, unsigned Timers>
struct TimeModel : rl::test_suite<Derived, Threads>, Timekeeper::Follower {
  void before() {
    keeper = make_ref<Timekeeper>(at(0));
    for (auto& parker : parkers) parker.emplace(keeper);
    keeper->add(*this);
  }
  void after() {
    keeper->remove(*this);
    for (auto& parker : parkers) parker.reset();
    keeper = nullptr;
  }

  void arm(unsigned i) {
    const seam::Lock lock(mutex);
    armed[i] = true;
  }
  bool has_fired(unsigned i) {
    const seam::Lock lock(mutex);
    return fired[i];
  }
  unsigned owner_of(unsigned i) const { return i; }
  void wait_for_timer(unsigned i) {
    while (!has_fired(i)) parkers[static_cast<Derived*>(this)->owner_of(i)]->park();
    check(keeper->now() == at(static_cast<int>(i) + 1), "it wakes at its instant");
  }

  bool wake_ready() override {
    const Instant now = keeper->now();
    bool has_woken = false;
    for (unsigned i = 0; i < Timers; ++i) {
      {
        const seam::Lock lock(mutex);
        if (!armed[i] || at(static_cast<int>(i) + 1) > now) continue;
        armed[i] = false;
        fired[i] = true;
      }
      static_cast<Derived*>(this)->on_fire(i);
      has_woken = true;
      const unsigned owner = static_cast<Derived*>(this)->owner_of(i);
      if (this_thread() != owner) parkers[owner]->unpark();
    }
    return has_woken;
  }
  Instant first_deadline() override {
    const seam::Lock lock(mutex);
    for (unsigned i = 0; i < Timers; ++i) {
      if (armed[i]) return at(static_cast<int>(i) + 1);
    }
    return Instant::max();
  }
  void look_again() noexcept override {}

  Ref<Timekeeper> keeper;
  std::optional<ThreadParker> parkers[Threads];
  seam::Mutex mutex;  // of the timers
  bool armed[Timers] = {};
  bool fired[Timers] = {};
};

/// Two threads that sleep, one after the other's time: the second wakes when the first's work is done.
struct TwoSleepers : TimeModel<TwoSleepers, 2, 2> {
  void before() {
    TimeModel::before();
    for (unsigned i = 0; i < 2; ++i) keeper->begin();
  }
  void thread(unsigned i) {
    arm(i);
    wait_for_timer(i);
    is_done[i].write(1);
    keeper->release();
  }
  void on_fire(unsigned i) {
    if (i == 1) check(is_done[0].read() == 1, "time overtakes the first one's work");
  }
  model::Var<int> is_done[2];
};

/// Thread 1 hands work to thread 0 and sleeps: its time comes when the work is done.
struct WorkHandedOver : TimeModel<WorkHandedOver, 2, 2> {
  void before() {
    TimeModel::before();
    for (unsigned i = 0; i < 2; ++i) keeper->begin();
  }
  void thread(unsigned i) {
    if (i == 0) {
      while (handed_over.load(std::memory_order_relaxed) == 0) parkers[0]->park();
      is_done.write(1);
    } else {
      arm(1);
      handed_over.store(1, std::memory_order_relaxed);
      parkers[0]->unpark();
      while (!has_fired(1)) parkers[1]->park();
    }
    keeper->release();
  }
  void on_fire(unsigned) { check(is_done.read() == 1, "time overtakes work that was handed over"); }
  seam::Atomic<std::uint32_t> handed_over;
  model::Var<int> is_done;
};

/// Thread 1 belongs to nobody; it arms the timer of thread 0 under a hold.
struct ArmedUnderAHold : TimeModel<ArmedUnderAHold, 2, 1> {
  void before() {
    TimeModel::before();
    keeper->begin();
  }
  void thread(unsigned i) {
    if (i == 0) {
      wait_for_timer(0);
      keeper->release();
    } else {
      keeper->begin();
      arm(0);
      keeper->release();
    }
  }
  void on_fire(unsigned) {}
};

/// Thread 1 holds time while thread 0 waits for it to pass.
struct Held : TimeModel<Held, 2, 1> {
  void before() {
    TimeModel::before();
    keeper->begin();
  }
  void thread(unsigned i) {
    if (i == 0) {
      arm(0);
      wait_for_timer(0);
    } else {
      keeper->begin();
      const Instant now = keeper->now();
      check(keeper->now() == now, "time passes although it is held");
    }
    keeper->release();
  }
  void on_fire(unsigned) {}
};

/// Two wakers of one sleeper: whoever is not needed does not count.
struct TwoWakers : TimeModel<TwoWakers, 3, 1> {
  void before() {
    TimeModel::before();
    for (unsigned i = 0; i < 3; ++i) keeper->begin();
    armed[0] = true;
  }
  void thread(unsigned i) {
    if (i == 0) {
      while (woken.load(std::memory_order_relaxed) != 2) parkers[0]->park();
      is_done.write(1);
      wait_for_timer(0);
    } else {
      woken.fetch_add(1, std::memory_order_relaxed);
      parkers[0]->unpark();
    }
    keeper->release();
  }
  void on_fire(unsigned) { check(is_done.read() == 1, "time overtakes who has been woken"); }
  seam::Atomic<std::uint32_t> woken;
  model::Var<int> is_done;
};

/// Thread 1 belongs to nobody and wakes thread 0, which perhaps wakes itself at that moment.
struct WokenWhileTimePasses : TimeModel<WokenWhileTimePasses, 2, 2> {
  void before() {
    TimeModel::before();
    keeper->begin();
  }
  void thread(unsigned i) {
    if (i == 1) return parkers[0]->unpark();
    for (unsigned timer = 0; timer < 2; ++timer) {
      arm(timer);
      wait_for_timer(timer);
    }
    keeper->release();
  }
  unsigned owner_of(unsigned) const { return 0; }
  void on_fire(unsigned) {}
};

/// Thread 0 sleeps as a driver's owner does: an event ends its sleep, too. Thread 1 asks it to work at that moment, and
/// then sleeps until its time.
struct WokenByAnEventAndByName : TimeModel<WokenByAnEventAndByName, 3, 2> {
  void before() {
    TimeModel::before();
    for (unsigned i = 0; i < 2; ++i) keeper->begin();
  }
  void thread(unsigned i) {
    if (i == 2) return event.set();  // the kernel
    if (i == 0) {
      while (handed_over.load(std::memory_order_relaxed) == 0) park_for_events();
      is_done.write(1);
    } else {
      arm(1);
      handed_over.store(1, std::memory_order_relaxed);
      call();
      while (!has_fired(1)) parkers[1]->park();
    }
    keeper->release();
  }
  void park_for_events() {
    if (!token.begin_sleep()) return;
    KnownSleep sleep(keeper.get());
    if (!sleep.is_over()) event.consume();
    sleep.end(token);
  }
  void call() {
    keeper->begin();
    if (token.wake()) {
      event.set();
    } else {
      keeper->release();
    }
  }
  void on_fire(unsigned) { check(is_done.read() == 1, "time overtakes who has been asked to work"); }
  ParkToken token;
  model::Event event;
  seam::Atomic<std::uint32_t> handed_over;
  model::Var<int> is_done;
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("timekeeper", argc, argv);
  runner.run<TwoSleepers>("two_sleepers");
  runner.run<WorkHandedOver>("work_handed_over");
  runner.run<ArmedUnderAHold>("armed_under_a_hold");
  runner.run<Held>("held");
  runner.run<TwoWakers>("two_wakers", 2);
  runner.run<WokenWhileTimePasses>("woken_while_time_passes");
  runner.run<WokenByAnEventAndByName>("woken_by_an_event_and_by_name");
  return runner.exit_code();
}
