// task/woken_children.hpp: children are woken on some threads while the combinator polls and removes them on another.
// No wake is lost, which shows as a deadlock, and no child is listed twice or after it was removed.
#include "harness.hpp"

#include <skua/core/wake.hpp>
#include <skua/task/woken_children.cpp>

#include <cstddef>
#include <utility>

using namespace skua;
using model::check;

namespace {

/// The combinator's task.
struct Parent : RefCounted<Parent> {
  explicit Parent(int* count) : destroyed(count) {}
  ~Parent() { ++*destroyed; }
  void wake() noexcept { event.set(); }
  model::Event event;
  int* const destroyed;
};

struct Child : WokenChild {
  using WokenChild::WokenChild;
  seam::Atomic<int> is_ready;
};

template <class Derived, unsigned Threads, std::size_t Children>
struct ChildrenModel : rl::test_suite<Derived, Threads> {
  void before() {
    parent = make_ref<Parent>(&parents_destroyed);
    set = make_ref<WokenChildren>();
    for (std::size_t i = 0; i < Children; ++i) {
      children[i] = make_ref<Child>(set);
      wakers[i] = children[i]->waker().get();
    }
  }
  void after() {
    set = nullptr;
    parent = nullptr;
  }

  /// One round of polls, after which the children that were ready are removed. Returns how many these were.
  int poll(const Waker& waker) {
    int ready = 0;
    const std::size_t woken = set->begin_round(waker);
    check(woken <= Children, "no child is listed twice");
    for (std::size_t left = woken; left > 0; --left) {
      auto* const child = static_cast<Child*>(set->next_woken());
      check(child != nullptr, "who is counted is there, for nobody else takes it");
      const std::size_t index = index_of(child);
      check(index < Children, "a child that was removed is not listed");
      // relaxed: the wake that listed it orders the store before this
      if (child->is_ready.load(std::memory_order_relaxed) == 0) continue;
      remove(index);
      ++ready;
    }
    return ready;
  }
  void poll_until_ready(int count) {
    const Waker waker = make_waker(parent);
    for (int ready = 0; (ready += poll(waker)) < count;) parent->event.consume();
  }
  void remove(std::size_t index) {
    set->remove(*children[index]);
    children[index] = nullptr;
  }
  std::size_t index_of(const Child* child) const {
    std::size_t i = 0;
    while (i < Children && children[i].get() != child) ++i;
    return i;
  }
  /// On another thread: wakes a child that waits still, then makes it ready and wakes it, for good.
  void finish(const Waker& waker, Child& child) {
    waker.wake_by_ref();
    child.is_ready.store(1, std::memory_order_relaxed);  // the wake orders it
    waker.wake_by_ref();
  }

  int parents_destroyed = 0;
  Ref<Parent> parent;
  Ref<WokenChildren> set;
  Ref<Child> children[Children];
  Waker wakers[Children];
};

struct NoWakeIsLost : ChildrenModel<NoWakeIsLost, 3, 2> {
  void thread(unsigned i) {
    if (i == 0) return poll_until_ready(2);
    const Waker waker = std::move(wakers[i - 1]);
    finish(waker, *owned[i - 1]);
    owned[i - 1] = nullptr;
  }
  void before() {
    ChildrenModel::before();
    for (int i = 0; i < 2; ++i) owned[i] = children[i];
  }
  Ref<Child> owned[2];
};

/// Two threads wake one child.
struct WokenByTwo : ChildrenModel<WokenByTwo, 3, 1> {
  void before() {
    ChildrenModel::before();
    copies[0] = wakers[0];
    copies[1] = std::move(wakers[0]);
    owned = children[0];
  }
  void thread(unsigned i) {
    if (i == 0) return poll_until_ready(1);
    const Waker waker = std::move(copies[i - 1]);
    finish(waker, *owned);
  }
  void after() {
    owned = nullptr;
    ChildrenModel::after();
  }
  Waker copies[2];
  Ref<Child> owned;
};

/// A child is removed while it is woken; its neighbour in the list is not lost, and the waker owns what it needs.
struct RemovedMeanwhile : ChildrenModel<RemovedMeanwhile, 3, 2> {
  void before() {
    ChildrenModel::before();
    owned = children[1];
  }
  void thread(unsigned i) {
    if (i == 0) {
      const int ready = poll(make_waker(parent));
      remove(0);
      return poll_until_ready(1 - ready);
    }
    const Waker waker = std::move(wakers[i - 1]);
    if (i == 2) return finish(waker, *owned);
    waker.wake_by_ref();
    waker.wake_by_ref();
  }
  void after() {
    owned = nullptr;
    ChildrenModel::after();
  }
  Ref<Child> owned;
};

/// The combinator moves from one task to another.
struct AnotherParent : ChildrenModel<AnotherParent, 2, 1> {
  void before() {
    ChildrenModel::before();
    owned = children[0];
  }
  void thread(unsigned i) {
    if (i == 1) return finish(wakers[0], *owned);
    if (poll(make_waker(make_ref<Parent>(&parents_destroyed))) == 0) poll_until_ready(1);
  }
  void after() {
    owned = nullptr;
    wakers[0] = Waker();
    ChildrenModel::after();
  }
  Ref<Child> owned;
};

/// The combinator is dropped while its child is woken. Its task is not kept by the child's waker, which lives on.
struct Dropped : ChildrenModel<Dropped, 2, 1> {
  void thread(unsigned i) {
    if (i == 1) return wakers[0].wake_by_ref();
    poll(make_waker(parent));
    set->forget_parent();
    remove(0);
    set = nullptr;
  }
  void after() {
    parent = nullptr;
    check(parents_destroyed == 1, "nobody else owns the task");
    wakers[0] = Waker();
  }
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("woken", argc, argv);
  runner.run<NoWakeIsLost>("no_wake_is_lost", 5);
  runner.run<WokenByTwo>("woken_by_two", 5);
  runner.run<RemovedMeanwhile>("removed_meanwhile", 5);
  runner.run<AnotherParent>("another_parent", 5);
  runner.run<Dropped>("dropped", 5);
  return runner.exit_code();
}
