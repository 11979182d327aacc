// sync/channel_state.hpp and sync/oneshot.hpp: messages against receivers that wait and are dropped, ends that go,
// rooms that are reserved and given back. A message or an end that is lost is a deadlock.
#include "sync.hpp"

#include <skua/sync/channel.hpp>
#include <skua/sync/oneshot.hpp>
#include <skua/sync/semaphore.cpp>

#include <optional>
#include <utility>

using namespace skua;
using model::check;

namespace {

template <class Derived, unsigned Threads>
struct ChannelModel : rl::test_suite<Derived, Threads> {
  void before() {
    auto ends = channel<int>(1);
    for (auto& sender : senders) sender.emplace(ends.first);
    for (auto& receiver : receivers) receiver.emplace(ends.second);
    received.write(0);
  }
  void after() {
    for (auto& sender : senders) sender.reset();
    for (auto& receiver : receivers) receiver.reset();
  }
  bool send(Sender<int>& sender, int message) {
    auto future = sender.send(message);
    return model::await(future).has_value();
  }
  /// Until the end; returns how many came.
  std::uint32_t receive_all(Receiver<int>& receiver) {
    for (std::uint32_t count = 0;; ++count) {
      auto future = receiver.receive();
      if (!model::await(future)) return count;
    }
  }
  /// True if one came in the only poll there was.
  bool receive_or_drop(Receiver<int>& receiver) {
    auto future = receiver.receive();
    auto result = model::poll_once(future);
    return result.is_ready() && result.value().has_value();
  }

  std::optional<Sender<int>> senders[2];
  std::optional<Receiver<int>> receivers[2];
  model::Var<std::uint32_t> received;
};

/// More messages than room, and the end after the last.
struct Everything : ChannelModel<Everything, 3> {
  void thread(unsigned i) {
    if (i == 0) {
      receivers[1].reset();
      check(receive_all(*receivers[0]) == 2, "both come, then the end");
      return;
    }
    check(send(*senders[i - 1], 1), "somebody receives");
    senders[i - 1].reset();
  }
};

/// A message that is given to a wait which is dropped goes on to who waits, or to who comes.
struct DroppedReceive : ChannelModel<DroppedReceive, 3> {
  void thread(unsigned i) {
    if (i == 0) {
      senders[1].reset();
      check(send(*senders[0], 1) && send(*senders[0], 2), "somebody receives");
      senders[0].reset();
    } else if (i == 1) {
      if (receive_or_drop(*receivers[0])) early.write(1);
      done.store(1, std::memory_order_release);
    } else {
      const std::uint32_t count = receive_all(*receivers[1]);
      if (done.load(std::memory_order_acquire) == 1) {
        check(count + early.read() == 2, "none is lost");
      } else {
        check(count >= 1, "the other may have one in hand");
      }
    }
  }
  model::Var<std::uint32_t> early;
  seam::Atomic<std::uint32_t> done;
};

/// Room that was reserved comes back unused while the receiver closes, and waits for the end.
struct ReservedAndClosed : ChannelModel<ReservedAndClosed, 2> {
  void thread(unsigned i) {
    if (i == 0) {
      auto permit = senders[0]->try_reserve();
      if (permit) const auto unused = *std::move(permit);
    } else {
      receivers[0]->close();
      check(receive_all(*receivers[0]) == 0, "nothing was sent");
    }
  }
};

/// A sender that has been granted room is dropped while the receiver closes, and waits for the end.
struct GrantedAndClosed : ChannelModel<GrantedAndClosed, 2> {
  void before() {
    ChannelModel::before();
    check(senders[0]->try_send(1).has_value(), "there is room for one");
  }
  void thread(unsigned i) {
    if (i == 0) {
      auto dropped = senders[0]->send(2);
      static_cast<void>(model::poll_once(dropped));
    } else {
      receivers[1].reset();
      auto next = receivers[0]->receive();
      check(model::await(next).has_value(), "the first");
      receivers[0]->close();
      receive_all(*receivers[0]);
    }
  }
};

/// The receivers go while a sender waits for room.
struct ReceiversGo : ChannelModel<ReceiversGo, 2> {
  void thread(unsigned i) {
    if (i == 0) {
      while (send(*senders[0], 1)) {
      }
      check(senders[0]->is_closed(), "it is told why");
    } else {
      receivers[0].reset();
      receive_or_drop(*receivers[1]);
      receivers[1].reset();
    }
  }
};

/// All room is reserved elsewhere: who waits for some is told that there is no use in it.
struct WaitsForNothing : ChannelModel<WaitsForNothing, 2> {
  void thread(unsigned i) {
    if (i == 0) {
      auto kept = senders[1]->try_reserve();
      check(!send(*senders[0], 1), "there was no room");
    } else {
      receivers[0].reset();
      receivers[1].reset();
    }
  }
};

struct WeakAndLast : ChannelModel<WeakAndLast, 3> {
  void before() {
    ChannelModel::before();
    weak.emplace(senders[0]->downgrade());
    senders[1].reset();
  }
  void thread(unsigned i) {
    if (i == 0) {
      senders[0].reset();
    } else if (i == 1) {
      auto strong = weak->upgrade();
      if (!strong) return;
      check(send(*strong, 1), "open as long as there is a sender");
      sent.write(1);
    } else {
      received.write(receive_all(*receivers[0]));
    }
  }
  void after() {
    check(received.read() == sent.read(), "what was sent came");
    weak.reset();
    ChannelModel::after();
  }
  std::optional<WeakSender<int>> weak;
  model::Var<std::uint32_t> sent;
};

struct OneshotModel : rl::test_suite<OneshotModel, 2> {
  void before() {
    auto ends = oneshot<int>();
    sender.emplace(std::move(ends.first));
    receiver.emplace(std::move(ends.second));
    kind = rl::rand(4);
  }
  void thread(unsigned i) {
    if (i == 0) {
      if (kind == 0) return sender.reset();
      if (kind == 3) {
        auto closed = sender->closed();
        return model::await(closed);
      }
      written.write(1);
      const bool is_sent = sender->send(7).has_value();
      check(is_sent || kind == 2, "it was waited for");
      return;
    }
    if (kind >= 2) {
      static_cast<void>(model::poll_once(*receiver));
      return receiver.reset();
    }
    Result<int> result = model::await(*receiver);
    check(result.has_value() == (kind == 1), "a value, if there was one");
    if (result) check(*result == 7 && written.read() == 1, "and what came before it");
  }
  void after() {
    if (kind == 3) check(!sender->send(7), "nobody receives any more");
    sender.reset();
    receiver.reset();
  }
  std::optional<OneshotSender<int>> sender;
  std::optional<OneshotReceiver<int>> receiver;
  std::uint32_t kind = 0;
  model::Var<int> written;
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("channel", argc, argv);
  runner.run<Everything>("everything", 20);
  runner.run<DroppedReceive>("dropped_receive", 20);
  runner.run<ReservedAndClosed>("reserved_and_closed", 20);
  runner.run<GrantedAndClosed>("granted_and_closed", 20);
  runner.run<ReceiversGo>("receivers_go", 20);
  runner.run<WaitsForNothing>("waits_for_nothing", 20);
  runner.run<WeakAndLast>("weak_and_last", 20);
  runner.run<OneshotModel>("oneshot", 20);
  return runner.exit_code();
}
