// task/task_tracker.hpp: tasks that end against who waits for the last of them.
#include "sync.hpp"

#include <skua/task/task_tracker.cpp>

#include <optional>

using namespace skua;
using model::check;
using model::Var;

namespace {

struct Tracked : rl::test_suite<Tracked, 3> {
  void before() {
    tracker.emplace();
    for (auto& token : tokens) token.emplace(tracker->token());
  }
  void after() {
    check(tracker->is_empty(), "all have ended");
    tracker.reset();
  }
  void thread(unsigned i) {
    if (i < 2) {
      data[i].write(1);
      if (i == 0) tracker->close();
      return tokens[i].reset();
    }
    auto wait = tracker->wait();
    model::await(wait);
    check(data[0].read() == 1 && data[1].read() == 1, "what the tasks did is seen");
  }
  std::optional<TaskTracker> tracker;
  std::optional<TaskTracker::Token> tokens[2];
  Var<int> data[2];
};

/// Closed when all have ended, or before: one of the two tells.
struct ClosedLate : rl::test_suite<ClosedLate, 3> {
  void before() {
    tracker.emplace();
    token.emplace(tracker->token());
  }
  void after() { tracker.reset(); }
  void thread(unsigned i) {
    if (i == 0) {
      data.write(1);
      token.reset();
    } else if (i == 1) {
      check(tracker->close(), "it was open");
    } else {
      {
        auto dropped = tracker->wait();
        if (model::poll_once(dropped).is_ready()) check(data.read() == 1, "what the task did is seen");
      }
      auto wait = tracker->wait();
      model::await(wait);
      check(data.read() == 1, "what the task did is seen");
    }
  }
  std::optional<TaskTracker> tracker;
  std::optional<TaskTracker::Token> token;
  Var<int> data;
};

/// Empty for a moment only: who waited then is told, though it has been opened again.
struct Reopened : rl::test_suite<Reopened, 2> {
  void before() {
    tracker.emplace();
    tracker->close();
    token.emplace(tracker->token());
  }
  void after() { tracker.reset(); }
  void thread(unsigned i) {
    if (i == 0) {
      auto wait = tracker->wait();
      check(model::poll_once(wait).is_pending(), "there is a task");
      is_waiting.set();
      model::await(wait);
    } else {
      is_waiting.wait();  // only who waits by then is told
      token.reset();
      tracker->reopen();
    }
  }
  std::optional<TaskTracker> tracker;
  std::optional<TaskTracker::Token> token;
  model::Event is_waiting;
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("task_tracker", argc, argv);
  runner.run<Tracked>("tracked", 20);
  runner.run<ClosedLate>("closed_late", 20);
  runner.run<Reopened>("reopened", 20);
  return runner.exit_code();
}
