// sync/rendezvous_state.hpp: offers against receivers that wait, are called, and are dropped, and ends that go. A call
// or an offer that is lost is a deadlock.
#include "sync.hpp"

#include <skua/sync/rendezvous.hpp>

#include <optional>
#include <utility>

using namespace skua;
using model::check;

namespace {

template <class Derived, unsigned Threads>
struct RendezvousModel : rl::test_suite<Derived, Threads> {
  void before() {
    auto ends = rendezvous<int>();
    for (auto& sender : senders) sender.emplace(ends.first);
    for (auto& receiver : receivers) receiver.emplace(ends.second);
    data.write(0);
  }
  void after() {
    for (auto& sender : senders) sender.reset();
    for (auto& receiver : receivers) receiver.reset();
  }
  bool send(RendezvousSender<int>& sender) {
    auto future = sender.send(1);
    return model::await(future).has_value();
  }
  /// Polled once, and given up: whether somebody has the message all the same.
  bool send_unless_late(RendezvousSender<int>& sender) {
    auto future = sender.send(1);
    return model::poll_once(future).is_ready() || !future.take_back().has_value();
  }
  bool receive(RendezvousReceiver<int>& receiver) {
    auto future = receiver.receive();
    return model::await(future).has_value();
  }
  bool receive_or_drop(RendezvousReceiver<int>& receiver) {
    auto future = receiver.receive();
    auto result = model::poll_once(future);
    return result.is_ready() && result.value().has_value();
  }

  std::optional<RendezvousSender<int>> senders[2];
  std::optional<RendezvousReceiver<int>> receivers[2];
  model::Var<int> data;
};

/// What came before a send is seen by who receives, and what he did before by nobody in particular.
struct HandOver : RendezvousModel<HandOver, 2> {
  void thread(unsigned i) {
    if (i == 0) {
      data.write(7);
      check(send(*senders[0]), "somebody receives");
      senders[0].reset();
      senders[1].reset();
    } else {
      check(receive(*receivers[0]) && data.read() == 7, "with what came before it");
      check(!receive(*receivers[0]), "and the end");
    }
  }
};

/// Two senders, two receivers, one of whom may be dropped when it has been called.
struct DroppedReceive : RendezvousModel<DroppedReceive, 3> {
  void thread(unsigned i) {
    if (i == 0) {
      check(send(*senders[0]), "somebody receives");
    } else if (i == 1) {
      if (receive_or_drop(*receivers[0])) check(send(*senders[1]), "it is handed on");
    } else {
      check(receive(*receivers[1]), "there is one for him");
    }
  }
};

/// A sender that gives up has called a receiver in vain, who waits on, or learns that the message is received.
struct TakenBack : RendezvousModel<TakenBack, 3> {
  void thread(unsigned i) {
    if (i == 0) {
      if (send_unless_late(*senders[0])) return;
      check(send(*senders[0]), "somebody receives");
    } else if (i == 1) {
      check(send(*senders[1]), "somebody receives");
    } else {
      check(receive(*receivers[0]) && receive(*receivers[0]), "one of each");
    }
  }
};

struct ReceiversGo : RendezvousModel<ReceiversGo, 3> {
  void thread(unsigned i) {
    if (i < 2) {
      receivers[i].reset();
    } else {
      check(!send(*senders[0]), "nobody receives any more");
    }
  }
};

/// Nobody waits on, and what is sent is received.
struct Closed : RendezvousModel<Closed, 3> {
  void thread(unsigned i) {
    if (i == 0) {
      receivers[0]->close();
    } else if (i == 1) {
      is_received.write(receive(*receivers[1]));
    } else {
      is_sent.write(send(*senders[1]));
    }
  }
  void after() {
    check(is_received.read() == is_sent.read(), "both, or none");
    RendezvousModel::after();
  }
  model::Var<bool> is_received;
  model::Var<bool> is_sent;
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("rendezvous", argc, argv);
  runner.run<HandOver>("hand_over", 20);
  runner.run<DroppedReceive>("dropped_receive", 20);
  runner.run<TakenBack>("taken_back", 20);
  runner.run<ReceiversGo>("receivers_go", 20);
  runner.run<Closed>("closed", 20);
  return runner.exit_code();
}
