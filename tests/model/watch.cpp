// sync/watch.hpp and broadcast.hpp: what is sent against those who wait for it: a change or an end that is lost is a
// deadlock, a message that comes out of turn or twice fails.
#include "sync.hpp"

#include <skua/sync/broadcast.hpp>
#include <skua/sync/notify.cpp>
#include <skua/sync/watch.hpp>

#include <optional>
#include <utility>

using namespace skua;
using model::check;

namespace {

/// With the end, and without, so that neither covers for the other's notice.
template <class Derived, bool Ends>
struct LatestModel : rl::test_suite<Derived, 3> {
  void before() {
    auto ends = watch<int>(0);
    sender.emplace(std::move(ends.first));
    for (auto& receiver : receivers) receiver.emplace(ends.second);
  }
  void after() {
    sender.reset();
    for (auto& receiver : receivers) receiver.reset();
  }
  void thread(unsigned i) {
    if (i == 2) {
      sender->send(1);
      sender->send(2);
      if (Ends) sender.reset();
      return;
    }
    int last = 0;
    while (Ends || last < 2) {
      auto changed = receivers[i]->changed();
      if (!model::await(changed)) break;
      const int now = *receivers[i]->latest();
      check(now >= last, "never back");
      last = now;
    }
    check(last == 2, "the last is seen before the end");
  }
  std::optional<WatchSender<int>> sender;
  std::optional<WatchReceiver<int>> receivers[2];
};

struct Latest : LatestModel<Latest, true> {};
struct LatestUnended : LatestModel<LatestUnended, false> {};

/// Room for two: nobody misses anything.
template <class Derived, bool Ends>
struct ToEverybodyModel : rl::test_suite<Derived, 3> {
  void before() {
    auto ends = broadcast<int>(2);
    sender.emplace(std::move(ends.first));
    for (auto& receiver : receivers) receiver.emplace(ends.second);
  }
  void after() {
    sender.reset();
    for (auto& receiver : receivers) receiver.reset();
  }
  void thread(unsigned i) {
    if (i == 2) {
      sender->send(1);
      sender->send(2);
      if (Ends) sender.reset();
      return;
    }
    for (int expected : {1, 2}) {
      auto next = receivers[i]->receive();
      auto message = model::await(next);
      check(message && **message == expected, "each, in order");
    }
    if (!Ends) return;
    auto next = receivers[i]->receive();
    check(!model::await(next), "and the end");
  }
  std::optional<BroadcastSender<int>> sender;
  std::optional<BroadcastReceiver<int>> receivers[2];
};

struct ToEverybody : ToEverybodyModel<ToEverybody, true> {};
struct ToEverybodyUnended : ToEverybodyModel<ToEverybodyUnended, false> {};

/// Room for one: what is missed is counted.
struct Lagging : rl::test_suite<Lagging, 2> {
  void before() {
    auto ends = broadcast<int>(1);
    sender.emplace(std::move(ends.first));
    receiver.emplace(std::move(ends.second));
  }
  void after() {
    sender.reset();
    receiver.reset();
  }
  void thread(unsigned i) {
    if (i == 0) {
      for (int message : {1, 2, 3}) sender->send(std::move(message));
      return sender.reset();
    }
    std::uint64_t received = 0;
    for (bool is_over = false; !is_over;) {
      auto next = receiver->receive();
      auto message = model::await(next);
      if (message) {
        ++received;
        check(static_cast<std::uint64_t>(**message) == received + receiver->missed(), "in order");
      } else {
        is_over = message.error().code() == SyncError::closed;
      }
    }
    check(received + receiver->missed() == 3, "received, or counted");
  }
  std::optional<BroadcastSender<int>> sender;
  std::optional<BroadcastReceiver<int>> receiver;
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("watch", argc, argv);
  runner.run<Latest>("latest", 20);
  runner.run<LatestUnended>("latest_unended", 20);
  runner.run<ToEverybody>("to_everybody", 20);
  runner.run<ToEverybodyUnended>("to_everybody_unended", 20);
  runner.run<Lagging>("lagging", 20);
  return runner.exit_code();
}
