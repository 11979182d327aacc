// task/cancellation_token.hpp: a tree that is cancelled while others wait in it, stop waiting, make children and drop
// them. A wait that is not woken shows as a deadlock; a node that is freed too early, or never, the checker reports.
#include "woken_thread.hpp"

#include <skua/task/cancellation_token.hpp>

// Compiled here, as a part of the model.
#include <skua/task/cancellation_token.cpp>

using namespace skua;
using model::check;
using model::Var;

namespace {

CancelReason await(const CancellationToken& token) { return model::await(token.cancelled()); }

/// One poll, and the wait is dropped.
void begin_to_wait(const CancellationToken& token) {
  auto cancelled = token.cancelled();
  static_cast<void>(model::poll_once(cancelled));
}

template <class Derived, unsigned Threads>
struct TreeModel : rl::test_suite<Derived, Threads> {
  void before() { root.emplace(); }
  void after() { root.reset(); }
  std::optional<CancellationToken> root;
};

// Who is woken, and who asks, sees what came before the cancel.
struct CancelAndWait : TreeModel<CancelAndWait, 3> {
  void thread(unsigned i) {
    if (i == 0) {
      data.write(1);
      check(root->cancel(CancelReason::overload), "the only cancel is the first");
    } else if (i == 1) {
      check(await(*root) == CancelReason::overload, "the reason is the canceller's");
      check(data.read() == 1, "what came before is seen");
    } else if (root->is_cancelled()) {
      check(data.read() == 1, "what came before is seen");
    }
  }
  Var<int> data{0};
};

struct CancelAndDrop : TreeModel<CancelAndDrop, 3> {
  void thread(unsigned i) {
    if (i == 0) {
      root->cancel(CancelReason::user);
    } else if (i == 1) {
      begin_to_wait(*root);
    } else {
      await(*root);
    }
  }
};

struct CancelAndMakeChild : TreeModel<CancelAndMakeChild, 3> {
  void thread(unsigned i) {
    if (i == 0) {
      root->cancel(CancelReason::shutdown);
    } else {
      check(await(root->child()) == CancelReason::shutdown, "a child has its parent's reason");
    }
  }
};

// Children made and dropped beside each other and the cancel.
struct CancelAndDropChild : TreeModel<CancelAndDropChild, 3> {
  void before() {
    TreeModel::before();
    for (auto& child : children) child = root->child();
  }
  void thread(unsigned i) {
    if (i == 2) {
      root->cancel(CancelReason::user);
    } else {
      children[i].reset();
    }
  }
  std::optional<CancellationToken> children[2];
};

// Nobody holds the token between; the leaf hears of it all the same, and nothing is left when it goes.
struct Grandchild : TreeModel<Grandchild, 3> {
  void before() {
    TreeModel::before();
    middle = root->child();
    leaf = middle->child();
  }
  void thread(unsigned i) {
    if (i == 0) {
      root->cancel(CancelReason::user);
    } else if (i == 1) {
      middle.reset();
    } else {
      await(*leaf);
      leaf.reset();
    }
  }
  std::optional<CancellationToken> middle, leaf;
};

// A node is cancelled by one of two, who is told so; the reason does not change afterwards.
struct TwoCancels : TreeModel<TwoCancels, 3> {
  void before() {
    TreeModel::before();
    child = root->child();
  }
  void thread(unsigned i) {
    if (i == 0) {
      root->cancel(CancelReason::user);
    } else if (i == 1) {
      child_was_first = child->cancel(CancelReason::deadline);
    } else {
      const CancelReason reason = await(*child);
      check(child->reason() == reason, "the reason stays");
      seen = reason;
    }
  }
  void after() {
    check((seen == CancelReason::deadline) == child_was_first, "the reason is that of who was first");
    child.reset();
    TreeModel::after();
  }
  std::optional<CancellationToken> child;
  bool child_was_first = false;
  CancelReason seen = CancelReason::user;
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("cancellation", argc, argv);
  runner.run<CancelAndWait>("cancel_and_wait", 10);
  runner.run<CancelAndDrop>("cancel_and_drop", 10);
  runner.run<CancelAndMakeChild>("cancel_and_make_child", 10);
  runner.run<CancelAndDropChild>("cancel_and_drop_child", 10);
  runner.run<Grandchild>("grandchild", 10);
  runner.run<TwoCancels>("two_cancels", 10);
  return runner.exit_code();
}
