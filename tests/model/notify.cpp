// sync/notify.hpp: notifications against waits that begin, are chosen, and are dropped. One that is lost is a deadlock.
#include "sync.hpp"

#include <skua/sync/notify.cpp>

#include <optional>

using namespace skua;
using model::check;

namespace {

template <class Derived, unsigned Threads>
struct NotifyModel : rl::test_suite<Derived, Threads> {
  void before() { notify.emplace(); }
  void after() { notify.reset(); }
  void wait() {
    auto notified = notify->notified();
    model::await(notified);
  }
  std::optional<Notify> notify;
};

/// Two producers, and one consumer that looks at the state after each notification: notifications may merge.
struct SingleConsumer : NotifyModel<SingleConsumer, 3> {
  void thread(unsigned i) {
    if (i > 0) {
      produced.fetch_add(1, std::memory_order_relaxed);
      notify->notify_one();
      return;
    }
    while (produced.load(std::memory_order_relaxed) < 2) wait();
  }
  seam::Atomic<std::uint32_t> produced;
};

/// As many notifications as waits that stay: the one that is dropped must hand its own on.
struct DroppedWhenChosen : NotifyModel<DroppedWhenChosen, 3> {
  void thread(unsigned i) {
    if (i == 0) {
      auto dropped = notify->notified();
      if (model::poll_once(dropped).is_ready()) notify->notify_one();  // it was seen, and is given on by hand
    } else if (i == 1) {
      wait();
    } else {
      notify->notify_one();
    }
  }
};

/// What was before notify_waiters() is told, polled or not.
struct WaitersBeforeTheFirstPoll : NotifyModel<WaitersBeforeTheFirstPoll, 3> {
  void thread(unsigned i) {
    if (i < 2) {
      auto notified = notify->notified();
      if (!is_over.load(std::memory_order_acquire)) model::await(notified);
      return;
    }
    // Who has begun to wait after this does not, for he sees it.
    is_over.store(1, std::memory_order_release);
    notify->notify_waiters();
  }
  seam::Atomic<std::uint32_t> is_over;
};

struct WaitersKeepNothing : NotifyModel<WaitersKeepNothing, 2> {
  void thread(unsigned i) {
    if (i == 0) {
      auto dropped = notify->notified();
      static_cast<void>(model::poll_once(dropped));
    } else {
      notify->notify_waiters();
    }
  }
  void after() {
    {
      auto next = notify->notified();
      check(model::poll_once(next).is_pending(), "nothing is kept");
    }
    NotifyModel::after();
  }
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("notify", argc, argv);
  runner.run<SingleConsumer>("single_consumer", 20);
  runner.run<DroppedWhenChosen>("dropped_when_chosen", 20);
  runner.run<WaitersBeforeTheFirstPoll>("waiters_before_the_first_poll", 20);
  runner.run<WaitersKeepNothing>("waiters_keep_nothing", 20);
  return runner.exit_code();
}
