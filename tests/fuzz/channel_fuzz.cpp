// A bounded channel against lists: any sequence of sends, receives, reserved room, futures that are dropped, ends that
// go, and close().
#include <skua/sync/channel.hpp>

#include "../runtime/polled.hpp"
#include "input.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <utility>

namespace skua::tests {
namespace {

/// What a channel is said to do, without a thought of threads.
struct Reference {
  struct Send {
    enum class State { none, waits, granted, refused } state = State::none;
    bool with_message = true;  // not if it only reserves
    int message = 0;
  };
  struct Receive {
    enum class State { none, waits, answered } state = State::none;
    std::optional<int> message;
  };

  explicit Reference(std::size_t room) : free(room), capacity(room) {}

  bool is_over() const { return is_closed && free == capacity; }
  void begin(Send& send) {
    if (is_closed) {
      send.state = Send::State::refused;
    } else if (senders_waiting.empty() && free > 0) {
      --free;
      send.state = Send::State::granted;
    } else {
      send.state = Send::State::waits;
      senders_waiting.push_back(&send);
    }
  }
  void give_room() {
    if (senders_waiting.empty()) {
      ++free;
    } else {
      senders_waiting.front()->state = Send::State::granted;
      senders_waiting.pop_front();
    }
    look_for_end();
  }
  /// By who has room. False: nobody receives any more.
  bool push(int message) {
    if (receivers == 0) return false;
    hand_on(message, false);
    return true;
  }
  void hand_on(int message, bool is_old) {
    if (!receivers_waiting.empty()) {
      answer(message);
    } else if (is_old) {
      messages.push_front(message);
    } else {
      messages.push_back(message);
    }
  }
  void answer(std::optional<int> message) {
    receivers_waiting.front()->state = Receive::State::answered;
    receivers_waiting.front()->message = message;
    receivers_waiting.pop_front();
  }
  std::optional<int> pop() {
    if (messages.empty()) return std::nullopt;
    const int message = messages.front();
    messages.pop_front();
    give_room();
    return message;
  }
  void drop(Send& send) {
    std::erase(senders_waiting, &send);
    if (send.state == Send::State::granted) give_room();
    send = Send();
  }
  void drop(Receive& receive) {
    std::erase(receivers_waiting, &receive);
    if (receive.state == Receive::State::answered && receive.message) hand_on(*receive.message, true);
    receive = Receive();
  }
  void close() {
    is_closed = true;
    for (Send* const send : senders_waiting) send->state = Send::State::refused;
    senders_waiting.clear();
    look_for_end();
  }
  void look_for_end() {
    if (!is_over()) return;
    while (!receivers_waiting.empty()) answer(std::nullopt);
  }

  std::size_t free;
  const std::size_t capacity;
  bool is_closed = false;
  int receivers = 1;
  std::deque<int> messages;
  std::deque<Send*> senders_waiting;
  std::deque<Receive*> receivers_waiting;
};

class ChannelFuzzer {
 public:
  explicit ChannelFuzzer(Input input) : input_(input), reference_(1 + input_.below(3)) {
    auto ends = channel<int>(reference_.capacity);
    sender_.emplace(std::move(ends.first));
    receiver_.emplace(std::move(ends.second));
  }

  void run() {
    while (!input_.is_over()) {
      step();
      check();
    }
    end();
  }

 private:
  struct SendSlot {
    std::optional<Polled<Sender<int>::Send>> send;
    std::optional<Polled<Sender<int>::Reserve>> reserve;
    Reference::Send expected;
    bool is_used() const { return send || reserve; }
    bool is_ready() { return send ? send->is_ready() : reserve->is_ready(); }
    int wakes() const { return send ? send->wakes() : reserve->wakes(); }
    void clear() {
      send.reset();
      reserve.reset();
      expected = Reference::Send();
    }
  };
  struct ReceiveSlot {
    std::optional<Polled<Receiver<int>::Receive>> future;
    Reference::Receive expected;
    void clear() {
      future.reset();
      expected = Reference::Receive();
    }
  };

  void step() {
    SendSlot& send = sends_[input_.below(slot_count)];
    ReceiveSlot& receive = receives_[input_.below(slot_count)];
    switch (input_.below(13)) {
      case 0:
      case 1: return begin(send, true);
      case 2: return begin(send, false);
      case 3: return look(send);
      case 4: return drop(send);
      case 5:
      case 6: return begin(receive);
      case 7: return look(receive);
      case 8: return drop(receive);
      case 9: return try_send();
      case 10: return try_receive();
      case 11: return input_.below(2) == 0 ? use_permit() : drop_permit();
      default: return end_something();
    }
  }

  void begin(SendSlot& slot, bool with_message) {
    if (slot.is_used() || !sender_) return;
    slot.expected.with_message = with_message;
    slot.expected.message = ++last_message_;
    if (with_message) {
      slot.send.emplace(sender_->send(last_message_));
    } else {
      slot.reserve.emplace(sender_->reserve());
    }
    reference_.begin(slot.expected);
    look(slot);
  }
  void look(SendSlot& slot) {
    if (!slot.is_used()) return;
    using State = Reference::Send::State;
    const Reference::Send expected = slot.expected;
    require(slot.is_ready() == (expected.state != State::waits), "a send is ready when it should not be, or not");
    if (!slot.is_ready()) return;
    if (!expected.with_message) return keep_permit(slot);
    bool is_sent = expected.state == State::granted;
    if (is_sent && !reference_.push(expected.message)) {
      is_sent = false;
      reference_.close();
      reference_.give_room();
    }
    require(slot.send->value().has_value() == is_sent, "sent, not refused, or the reverse");
    slot.clear();
  }
  void keep_permit(SendSlot& slot) {
    auto& result = slot.reserve->value();
    require(result.has_value() == (slot.expected.state == Reference::Send::State::granted), "reserved, or refused");
    if (result) permits_.push_back(*std::move(result));
    slot.clear();
  }
  void drop(SendSlot& slot) {
    if (!slot.is_used()) return;
    reference_.drop(slot.expected);
    slot.clear();
  }
  void use_permit() {
    if (permits_.empty()) return;
    SendPermit<int> permit = std::move(permits_.front());
    permits_.pop_front();
    const bool is_sent = reference_.push(++last_message_);
    require(std::move(permit).send(int(last_message_)).has_value() == is_sent, "sent by a permit, or refused");
    if (!is_sent) {
      reference_.close();
      reference_.give_room();
    }
  }
  void drop_permit() {
    if (permits_.empty()) return;
    permits_.pop_front();
    reference_.give_room();
  }
  void try_send() {
    if (!sender_) return;
    const bool can_send = !reference_.is_closed && reference_.senders_waiting.empty() && reference_.free > 0;
    require(sender_->try_send(int(++last_message_)).has_value() == can_send, "sent past who waits, or not sent");
    if (!can_send) return;
    --reference_.free;
    require(reference_.push(last_message_), "open, so somebody receives");
  }

  void begin(ReceiveSlot& slot) {
    if (slot.future || !receiver_) return;
    slot.future.emplace(receiver_->receive());
    if (!reference_.messages.empty() || reference_.is_over()) {
      slot.expected.state = Reference::Receive::State::answered;
      slot.expected.message = reference_.pop();
      require(slot.future->is_ready() && slot.future->value() == slot.expected.message, "the first message");
      slot.clear();
      return;
    }
    slot.expected.state = Reference::Receive::State::waits;
    reference_.receivers_waiting.push_back(&slot.expected);
    require(!slot.future->is_ready(), "there is none");
  }
  void look(ReceiveSlot& slot) {
    if (!slot.future) return;
    const bool is_answered = slot.expected.state == Reference::Receive::State::answered;
    require(slot.future->is_ready() == is_answered, "a receive is ready when it should not be, or not");
    if (!is_answered) return;
    require(slot.future->value() == slot.expected.message, "not the message that was its own");
    const bool had_message = slot.expected.message.has_value();
    slot.clear();
    if (had_message) reference_.give_room();
  }
  void drop(ReceiveSlot& slot) {
    if (!slot.future) return;
    reference_.drop(slot.expected);
    slot.clear();
  }
  void try_receive() {
    if (!receiver_) return;
    const bool is_over = reference_.is_over();
    const std::optional<int> expected = reference_.pop();
    auto received = receiver_->try_receive();
    require(received.has_value() == expected.has_value(), "received, or not");
    if (expected) return require(*received == *expected, "not the first message");
    require((received.error().code() == SyncError::closed) == is_over, "the end, or not yet");
  }

  /// Ends go when nothing of theirs is under way, as futures must not outlive them.
  void end_something() {
    switch (input_.below(8)) {
      case 0: return close();
      case 1: return drop_sender();
      case 2: return drop_receiver();
      default: return;
    }
  }
  void close() {
    if (!receiver_) return;
    receiver_->close();
    reference_.close();
  }
  void drop_sender() {
    if (!sender_ || !permits_.empty()) return;  // a permit counts as a sender
    for (SendSlot& slot : sends_) drop(slot);
    sender_.reset();
    reference_.close();
  }
  void drop_receiver() {
    if (!receiver_) return;
    for (ReceiveSlot& slot : receives_) drop(slot);
    receiver_.reset();
    reference_.receivers = 0;
    const std::size_t unseen = reference_.messages.size();
    reference_.messages.clear();
    reference_.close();
    for (std::size_t i = 0; i < unseen; ++i) reference_.give_room();
  }

  void check() {
    if (sender_) require(sender_->room() == reference_.free, "room");
    if (sender_) require(sender_->is_closed() == reference_.is_closed, "closed");
    if (receiver_) require(receiver_->size() == reference_.messages.size(), "messages");
    for (SendSlot& slot : sends_) {
      if (!slot.is_used()) continue;
      const bool is_answered = slot.expected.state != Reference::Send::State::waits;
      require((slot.wakes() > 0) == is_answered, "a sender is woken when it is answered, and not before");
    }
    for (ReceiveSlot& slot : receives_) {
      if (!slot.future) continue;
      const bool is_answered = slot.expected.state == Reference::Receive::State::answered;
      require((slot.future->wakes() > 0) == is_answered, "a receiver is woken when it is answered, and not before");
    }
  }

  /// What was sent is received to the last, then comes the end.
  void end() {
    while (!permits_.empty()) drop_permit();
    for (ReceiveSlot& slot : receives_) drop(slot);
    drop_sender();
    if (!receiver_) return;
    for (;;) {
      Polled next(receiver_->receive());
      require(next.is_ready(), "nothing is left, and no end");
      require(next.value() == reference_.pop(), "in order");
      if (!next.value()) return;
    }
  }

  static constexpr unsigned slot_count = 4;
  Input input_;
  int last_message_ = 0;
  Reference reference_;
  std::optional<Sender<int>> sender_;
  std::optional<Receiver<int>> receiver_;
  std::deque<SendPermit<int>> permits_;
  std::array<SendSlot, slot_count> sends_;
  std::array<ReceiveSlot, slot_count> receives_;
};

}  // namespace
}  // namespace skua::tests

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  skua::tests::ChannelFuzzer(skua::tests::Input(bytes, count)).run();
  return 0;
}
