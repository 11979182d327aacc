// scheduler/local_queue.hpp with four slots: every task is taken exactly once, and with all that was written to it.
//
// A task carries a Var that its producer writes and whoever takes it writes again: a missing happens-before edge is
// reported as a race, a task that is taken twice as a failed check. Positions start two below the wrap of 32 bits.
#include "harness.hpp"

#include <skua/scheduler/local_queue.hpp>

#include <array>
#include <span>

using namespace skua;

namespace {

struct Item {
  model::Var<int> times_taken{0};
};
using Queue = scheduler::LocalQueue<Item>;
static_assert(Queue::capacity == 4);
constexpr std::uint32_t near_wrap = ~std::uint32_t{0} - 1;

template <class Derived, unsigned Threads, unsigned Items>
struct QueueModel : rl::test_suite<Derived, Threads> {
  static void run(Item* item) { model::check(item->times_taken.add(1) == 0, "a task is taken once"); }
  /// What the worker does with its own ring: false if it is empty.
  static bool run_one(Queue& own) {
    Item* const item = own.pop();
    if (item != nullptr) run(item);
    return item != nullptr;
  }
  static void steal_and_run(Queue& victim, Queue& own) {
    if (Item* const newest = victim.steal_into(own)) run(newest);
    while (run_one(own)) {
    }
  }
  /// As Worker::push(): half of a full ring goes elsewhere.
  void push(unsigned item) {
    items[item].times_taken.write(0);
    if (owner.push(&items[item])) return;
    std::array<Item*, Queue::capacity / 2> room;
    for (Item* moved : owner.take_half(room)) run(moved);
    run(&items[item]);
  }
  void after() {
    while (run_one(owner)) {
    }
    for (Queue& queue : thieves) {
      while (run_one(queue)) {
      }
      model::check(queue.is_empty(), "nothing is left");
    }
    model::check(owner.is_empty() && owner.size() == 0, "nothing is left");
    for (const Item& item : items) model::check(item.times_taken.read() == 1, "every task is taken");
  }

  Queue owner{near_wrap};
  Queue thieves[2] = {Queue(near_wrap), Queue(0)};
  Item items[Items];
};

struct PushPopSteal : QueueModel<PushPopSteal, 2, 3> {
  void thread(unsigned i) {
    if (i == 1) return steal_and_run(owner, thieves[0]);
    push(0);
    push(1);
    run_one(owner);
    push(2);
    run_one(owner);
  }
};

struct TwoThieves : QueueModel<TwoThieves, 3, 4> {
  void thread(unsigned i) {
    if (i != 0) return steal_and_run(owner, thieves[i - 1]);
    for (unsigned item = 0; item < 3; ++item) push(item);
    run_one(owner);
    push(3);
    run_one(owner);
  }
};

// The ring is full when it begins, so one more push takes half of it out, or finds a thief at work.
struct OverflowWhileStealing : QueueModel<OverflowWhileStealing, 2, 6> {
  void before() {
    for (unsigned item = 0; item < 4; ++item) push(item);
  }
  void thread(unsigned i) {
    if (i == 1) return steal_and_run(owner, thieves[0]);
    push(4);
    push(5);
    run_one(owner);
  }
};

struct OverflowTwoThieves : QueueModel<OverflowTwoThieves, 3, 6> {
  void before() {
    for (unsigned item = 0; item < 4; ++item) push(item);
  }
  void thread(unsigned i) {
    if (i != 0) return steal_and_run(owner, thieves[i - 1]);
    push(4);
    run_one(owner);
    push(5);
  }
};

// Slots that a thief is copying must not be filled again, though the owner may pop and push meanwhile.
struct RefillWhileCopying : QueueModel<RefillWhileCopying, 2, 7> {
  void before() {
    for (unsigned item = 0; item < 4; ++item) push(item);
  }
  void thread(unsigned i) {
    if (i == 1) return steal_and_run(owner, thieves[0]);
    run_one(owner);
    push(4);
    push(5);
    run_one(owner);
    push(6);
  }
};

struct PopOfLast : QueueModel<PopOfLast, 3, 1> {
  void before() { push(0); }
  void thread(unsigned i) {
    if (i != 0) return steal_and_run(owner, thieves[i - 1]);
    run_one(owner);
  }
};

// What was stolen is stolen again from the thief, while the first owner goes on.
struct ChainedSteal : QueueModel<ChainedSteal, 3, 5> {
  void before() {
    for (unsigned item = 0; item < 4; ++item) push(item);
  }
  void thread(unsigned i) {
    if (i == 0) {
      run_one(owner);
      push(4);
    } else if (i == 1) {
      steal_and_run(owner, thieves[0]);
    } else {
      if (Item* const newest = thieves[0].steal_into(thieves[1])) run(newest);
      steal_and_run(thieves[0], thieves[1]);
    }
  }
};

// Two workers steal from each other.
struct MutualSteal : QueueModel<MutualSteal, 2, 4> {
  void before() {
    push(0);
    push(1);
    for (unsigned item = 2; item < 4; ++item) {
      items[item].times_taken.write(0);
      model::check(thieves[0].push(&items[item]), "there is room");
    }
  }
  void thread(unsigned i) {
    Queue& own = i == 0 ? owner : thieves[0];
    run_one(own);
    if (Item* const newest = (i == 0 ? thieves[0] : owner).steal_into(own)) run(newest);
    run_one(own);
  }
};

// The thief copies into slots that another thief has just read.
struct StealIntoStolenRing : QueueModel<StealIntoStolenRing, 3, 8> {
  void before() {
    for (unsigned item = 0; item < 4; ++item) push(item);
    for (unsigned item = 4; item < 8; ++item) {
      items[item].times_taken.write(0);
      model::check(thieves[0].push(&items[item]), "there is room");
    }
  }
  void thread(unsigned i) {
    if (i == 0) {
      run_one(owner);
    } else if (i == 1) {
      while (run_one(thieves[0])) {
      }
      if (Item* const newest = owner.steal_into(thieves[0])) run(newest);
      run_one(thieves[0]);
    } else if (Item* const newest = thieves[0].steal_into(thieves[1])) {
      run(newest);
    }
  }
};

// is_empty() of a ring that holds a task is false for a thread that happens after the push, thieves or not.
struct IsEmptySeesThePush : rl::test_suite<IsEmptySeesThePush, 2> {
  void thread(unsigned i) {
    if (i == 0) {
      model::check(queue.push(&items[0]), "there is room");
      model::check(queue.pop() == &items[0], "in order");
      model::check(queue.push(&items[1]), "there is room");
      pushed.store(true, std::memory_order_release);
    } else {
      static_cast<void>(queue.is_empty());  // an earlier look must not make the next one stale
      if (pushed.load(std::memory_order_acquire)) model::check(!queue.is_empty(), "the push is seen");
    }
  }
  Queue queue{near_wrap};
  Item items[2];
  seam::Atomic<bool> pushed;
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("local_queue", argc, argv);
  runner.run<PushPopSteal>("push_pop_steal");
  runner.run<TwoThieves>("two_thieves");
  runner.run<OverflowWhileStealing>("overflow_while_stealing");
  runner.run<OverflowTwoThieves>("overflow_with_two_thieves");
  runner.run<RefillWhileCopying>("refill_while_copying");
  runner.run<PopOfLast>("pop_of_last");
  runner.run<ChainedSteal>("chained_steal");
  runner.run<MutualSteal>("mutual_steal");
  runner.run<StealIntoStolenRing>("steal_into_stolen_ring");
  runner.run<IsEmptySeesThePush>("is_empty_sees_the_push");
  return runner.exit_code();
}
