// scheduler/inject_queue.hpp: the counter makes a queue that is not linearizable into one that can be relied on.
#include "harness.hpp"
#include "loose_queue.hpp"

#include <skua/scheduler/inject_queue.hpp>

#include <span>

using namespace skua;
using model::check;

namespace {

struct Item {
  model::Var<int> times_taken{0};
};

template <class Derived, unsigned Threads, unsigned Items>
struct InjectModel : rl::test_suite<Derived, Threads> {
  using Queue = scheduler::InjectQueue<Item, model::LooseQueue<Item>>;

  bool push(unsigned item) {
    items[item].times_taken.write(0);
    return queue.push(&items[item]);
  }
  std::size_t pop(std::size_t room) {
    Item* taken[Items] = {};
    const std::size_t count = queue.pop({taken, room});
    for (std::size_t i = 0; i < count; ++i) check(taken[i]->times_taken.add(1) == 0, "taken once");
    return count;
  }
  void drain() {
    while (pop(2) != 0) {
    }
  }
  void after() {
    drain();
    for (const Item& item : items) check(item.times_taken.read() == 1, "every task is taken");
    check(queue.size() == 0, "the count is right in the end");
  }
  Queue queue;
  Item items[Items];
};

struct TwoConsumers : InjectModel<TwoConsumers, 3, 2> {
  void thread(unsigned i) {
    if (i == 0) {
      check(push(0) && push(1), "open");
    } else {
      pop(1);
      pop(2);
    }
  }
};

struct TwoProducers : InjectModel<TwoProducers, 3, 3> {
  void thread(unsigned i) {
    if (i == 0) {
      check(push(0), "open");
    } else if (i == 1) {
      items[1].times_taken.write(0);
      items[2].times_taken.write(0);
      Item* both[] = {&items[1], &items[2]};
      check(queue.push(std::span<Item*>(both)), "open");
    } else {
      pop(2);
      pop(2);
    }
  }
};

// A consumer may find an element that is not counted yet: the count must not become negative by it.
struct CountNeverNegative : InjectModel<CountNeverNegative, 3, 2> {
  void thread(unsigned i) {
    if (i < 2) {
      check(push(i), "open");
    } else {
      pop(2);
      check(queue.size() <= 2, "no more than were pushed");
    }
  }
};

// What is pushed beside close() is drained by the pusher or by the one who closes.
struct CloseWhilePushing : InjectModel<CloseWhilePushing, 3, 2> {
  void thread(unsigned i) {
    if (i < 2) {
      if (!push(i)) drain();
    } else {
      queue.close();
      drain();
    }
  }
  void after() {
    check(queue.size() == 0, "nothing is left in a closed queue");
    InjectModel::after();
  }
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("inject_queue", argc, argv);
  runner.run<TwoConsumers>("two_consumers");
  runner.run<TwoProducers>("two_producers");
  runner.run<CountNeverNegative>("count_never_negative");
  runner.run<CloseWhilePushing>("close_while_pushing");
  return runner.exit_code();
}
