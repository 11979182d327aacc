// task/wake_set.hpp: entries that are woken while the owner takes them out, drops them, or drops the set.
#include "woken_thread.hpp"

#include <skua/task/wake_set.hpp>

// Compiled here, as a part of the model.
#include <skua/task/woken_children.cpp>

using namespace skua;
using model::check;
using model::Var;
using model::WokenThread;

namespace {

using Set = WakeSet<int>;

template <class Derived, unsigned Threads>
struct SetModel : rl::test_suite<Derived, Threads> {
  void before() {
    set.emplace();
    for (int i = 0; i < 2; ++i) {
      entries[i] = &set->insert(i);
      wakers[i] = entries[i]->waker();
    }
    woken = make_ref<WokenThread>();
  }
  void after() {
    set.reset();
    for (Waker& waker : wakers) waker = Waker();
    woken = nullptr;
  }
  /// The next that was woken, as a task that sleeps meanwhile finds it.
  Set::Entry& next() {
    const Waker waker = make_waker(woken);
    for (;;) {
      if (Set::Entry* const entry = set->pop_woken(waker)) return *entry;
      woken->event.consume();
    }
  }
  std::optional<Set> set;
  Set::Entry* entries[2];
  Waker wakers[2];
  Ref<WokenThread> woken;
};

// Each wake is found, with what came before it.
struct WakesAreFound : SetModel<WakesAreFound, 3> {
  void thread(unsigned i) {
    if (i < 2) {
      data[i].write(1);
      std::move(wakers[i]).wake();
      return;
    }
    for (int count = 0; count < 2; ++count) {
      Set::Entry& entry = next();
      check(data[entry.value()].read() == 1, "what came before the wake is seen");
      set->take(entry);
    }
    check(set->size() == 0, "all were found");
  }
  Var<int> data[2];
};

// An entry that stays in the set is found again at the next wake, and once for two wakes at the same time.
struct WokenTwice : SetModel<WokenTwice, 3> {
  void thread(unsigned i) {
    if (i < 2) {
      progress.fetch_add(1, std::memory_order_relaxed);
      wakers[0].wake_by_ref();
      return;
    }
    do {
      check(&next() == entries[0], "the other was not woken");
    } while (progress.load(std::memory_order_relaxed) != 2);
    set->take(*entries[0]);
    check(set->try_pop_woken() == nullptr, "it was listed once");
  }
  void before() {
    SetModel::before();
    wakers[1] = Waker();
  }
  seam::Atomic<std::uint32_t> progress;
};

// The owner takes an entry out while it is woken: it is never found afterwards.
struct TakenOut : SetModel<TakenOut, 3> {
  void thread(unsigned i) {
    if (i < 2) {
      std::move(wakers[i]).wake();
      return;
    }
    set->take(*entries[0]);
    check(&next() == entries[1], "only the one that is there is found");
    set->take(*entries[1]);
    check(set->try_pop_woken() == nullptr, "nothing is left");
  }
};

struct SetDropped : SetModel<SetDropped, 3> {
  void thread(unsigned i) {
    if (i < 2) {
      std::move(wakers[i]).wake();
      return;
    }
    static_cast<void>(set->pop_woken(make_waker(woken)));
    set.reset();
  }
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("wake_set", argc, argv);
  runner.run<WakesAreFound>("wakes_are_found", 10);
  runner.run<WokenTwice>("woken_twice", 10);
  runner.run<TakenOut>("taken_out", 10);
  runner.run<SetDropped>("set_dropped", 10);
  return runner.exit_code();
}
