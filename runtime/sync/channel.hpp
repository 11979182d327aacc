// Channels: a queue of messages between tasks; each message goes to one receiver, in the order in which they were sent.
//
//   auto [sender, receiver] = channel<Job>(64);            // room for 64: who sends more waits
//   co_await try_(sender.send(job));
//   while (std::optional<Job> job = co_await receiver.receive()) ...
//
// Any number of senders and receivers: copy them. Senders, and receivers, are served first come first served.
// The end: a receiver gets none when the last sender has gone and everything has been received; a sender gets
// SyncError::closed when the last receiver has gone, or close() was called.
// Cancel safety: a dropped send() has not sent; a dropped receive() has received nothing: a message that was on its way
// to it goes to the next.
// Thread safety: each end belongs to one thread at a time, copies of it to others; under any executor. Messages are
// moved and must not throw when they are.
#pragma once

#include <skua/core/budget.hpp>
#include <skua/core/result.hpp>
#include <skua/sync/block_thread_on.hpp>
#include <skua/sync/channel_state.hpp>
#include <skua/sync/sync_error.hpp>

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace skua {

template <class T>
class WeakSender;
template <class T>
class SendPermit;

namespace sync {

/// A count among the senders. Copyable.
template <class T>
class SenderShare {
 public:
  /// Takes over a count.
  explicit SenderShare(Ref<ChannelState<T>> state) noexcept : state_(std::move(state)) {}
  SenderShare(const SenderShare& other) noexcept : state_(other.state_) {
    if (state_) state_->add_sender();
  }
  SenderShare(SenderShare&&) noexcept = default;
  SenderShare& operator=(SenderShare other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~SenderShare() {
    if (state_) state_->drop_sender();
  }
  ChannelState<T>& operator*() const noexcept { return *state_; }
  ChannelState<T>* operator->() const noexcept { return state_.get(); }
  const Ref<ChannelState<T>>& state() const noexcept { return state_; }

 private:
  Ref<ChannelState<T>> state_;
};

inline Error closed_for(const char* operation) { return Error(SyncError::closed, operation); }

}  // namespace sync

/// Room for one message: send() cannot fail for want of it, and does not wait. Given back when it goes unused. Counts
/// as a sender.
template <class T>
class [[nodiscard]] SendPermit {
 public:
  explicit SendPermit(sync::SenderShare<T> share) noexcept : share_(std::move(share)) {}
  SendPermit(SendPermit&&) noexcept = default;
  SendPermit& operator=(SendPermit&& other) noexcept {
    std::swap(share_, other.share_);
    return *this;
  }
  ~SendPermit() {
    if (share_.state() && !is_used_) share_->give_back(1);
  }

  /// Once. Error: SyncError::closed, the last receiver has gone; then `message` is left as it was.
  Result<void> send(T&& message) && {
    if (!share_->push(message)) return sync::closed_for("send");
    is_used_ = true;
    return {};
  }

 private:
  sync::SenderShare<T> share_;
  bool is_used_ = false;
};

template <class T>
class Sender {
 public:
  explicit Sender(sync::SenderShare<T> share) noexcept : share_(std::move(share)) {}

  /// A future of Result<void>: waits for room, then sends. Error: SyncError::closed, and the message is lost with the
  /// future: see reserve(). Cancel safety: see above; the place in the queue is lost.
  class [[nodiscard]] Send {
   public:
    Send(sync::ChannelState<T>& state, T message) noexcept
        : state_(state), room_(state), message_(std::move(message)) {}
    Poll<Result<void>> poll(Context& context) {
      Poll<bool> room = room_.poll(context);
      if (room.is_pending()) return pending;
      if (!room.value()) return Result<void>(sync::closed_for("send"));
      if (state_.push(message_)) return Result<void>();
      state_.give_back(1);
      return Result<void>(sync::closed_for("send"));
    }

   private:
    sync::ChannelState<T>& state_;
    typename sync::ChannelState<T>::Room room_;
    T message_;
  };
  Send send(T message) noexcept { return Send(*share_, std::move(message)); }

  /// A future of Result<SendPermit<T>>. Cancel safety: as send().
  class [[nodiscard]] Reserve {
   public:
    explicit Reserve(sync::SenderShare<T> share) noexcept : share_(std::move(share)), room_(*share_) {}
    Poll<Result<SendPermit<T>>> poll(Context& context) {
      Poll<bool> room = room_.poll(context);
      if (room.is_pending()) return pending;
      if (!room.value()) return Result<SendPermit<T>>(sync::closed_for("reserve"));
      return Result<SendPermit<T>>(SendPermit<T>(share_));
    }

   private:
    sync::SenderShare<T> share_;
    typename sync::ChannelState<T>::Room room_;
  };
  Reserve reserve() noexcept { return Reserve(share_); }

  /// Now or not at all. Errors: SyncError::would_block, SyncError::closed; then `message` is left as it was.
  Result<void> try_send(T&& message) {
    Result<SendPermit<T>> permit = try_reserve();
    if (!permit) return std::move(permit).error();
    return (*std::move(permit)).send(std::move(message));
  }
  Result<SendPermit<T>> try_reserve() {
    switch (share_->slots.try_take(1)) {
      case Semaphore::Attempt::taken: return SendPermit<T>(share_);
      case Semaphore::Attempt::would_block: return Error(SyncError::would_block, "send");
      case Semaphore::Attempt::closed: break;
    }
    return sync::closed_for("send");
  }
  /// For a thread that runs no tasks, which sleeps.
  Result<void> send_blocking(T message) { return sync::block_thread_on(send(std::move(message))); }

  /// Nobody receives any more.
  bool is_closed() const noexcept { return share_->slots.is_closed(); }
  std::size_t capacity() const noexcept { return share_->capacity; }
  /// How many could be sent at once, now.
  std::size_t room() const noexcept { return share_->slots.available_permits(); }
  /// A sender that does not keep the channel open.
  WeakSender<T> downgrade() const noexcept { return WeakSender<T>(share_.state()); }
  bool is_of_same_channel(const Sender& other) const noexcept {
    return share_.state().get() == other.share_.state().get();
  }

 private:
  sync::SenderShare<T> share_;
};

/// Sends without ever waiting: nothing limits the queue but memory.
template <class T>
class UnboundedSender {
 public:
  explicit UnboundedSender(sync::SenderShare<T> share) noexcept : sender_(std::move(share)) {}
  /// Error: SyncError::closed; then `message` is left as it was.
  Result<void> send(T&& message) { return sender_.try_send(std::move(message)); }
  Result<void> send(const T& message) { return send(T(message)); }
  bool is_closed() const noexcept { return sender_.is_closed(); }

 private:
  Sender<T> sender_;
};

template <class T>
class WeakSender {
 public:
  explicit WeakSender(Ref<sync::ChannelState<T>> state) noexcept : state_(std::move(state)) {}
  /// None when every sender has gone.
  std::optional<Sender<T>> upgrade() const noexcept {
    if (!state_->add_sender_if_any()) return std::nullopt;
    return Sender<T>(sync::SenderShare<T>(state_));
  }

 private:
  Ref<sync::ChannelState<T>> state_;
};

template <class T>
class Receiver {
 public:
  /// Takes over a count among the receivers.
  explicit Receiver(Ref<sync::ChannelState<T>> state) noexcept : state_(std::move(state)) {}
  Receiver(const Receiver& other) noexcept : state_(other.state_) {
    if (state_) state_->add_receiver();
  }
  Receiver(Receiver&&) noexcept = default;
  Receiver& operator=(Receiver other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~Receiver() {
    if (state_) state_->drop_receiver();
  }

  /// A future of std::optional<T>; none: the end. Cancel safety: see above; the place in the queue is lost.
  class [[nodiscard]] Receive {
   public:
    explicit Receive(sync::ChannelState<T>& state) noexcept : state_(state) {}
    /// Before the first poll only.
    Receive(Receive&& other) noexcept : state_(other.state_) { SKUA_ASSERT(!other.wait_.is_known); }
    ~Receive() {
      if (wait_.is_known) state_.withdraw(wait_);
    }
    Poll<std::optional<T>> poll(Context& context) {
      if (!budget::take(context)) return pending;
      Poll<std::optional<T>> result = state_.poll(wait_, context.waker());
      if (result.is_pending()) budget::give_back();
      return result;
    }

   private:
    sync::ChannelState<T>& state_;
    typename sync::ChannelState<T>::Wait wait_;
  };
  Receive receive() noexcept { return Receive(*state_); }

  /// A future of how many messages were put behind those in `into`: as many as are there, at least one and at most
  /// `most`; 0: the end. Cancel safety: as receive().
  class [[nodiscard]] ReceiveMany {
   public:
    ReceiveMany(sync::ChannelState<T>& state, std::vector<T>& into, std::size_t most) noexcept
        : state_(state), receive_(state), into_(into), most_(most) {}
    Poll<std::size_t> poll(Context& context) {
      if (most_ == 0) return std::size_t{0};
      Poll<std::optional<T>> first = receive_.poll(context);
      if (first.is_pending()) return pending;
      std::size_t count = 0;
      for (std::optional<T> message = std::move(first).take(); message; message = state_.try_receive()) {
        into_.push_back(*std::move(message));
        if (++count == most_) break;
      }
      return count;
    }

   private:
    sync::ChannelState<T>& state_;
    Receive receive_;
    std::vector<T>& into_;
    const std::size_t most_;
  };
  ReceiveMany receive_many(std::vector<T>& into, std::size_t most) noexcept { return ReceiveMany(*state_, into, most); }

  /// Errors: SyncError::would_block; SyncError::closed: the end.
  Result<T> try_receive() {
    const bool is_at_end = state_->is_at_end();  // before the look, so that nothing can come after it
    std::optional<T> message = state_->try_receive();
    if (message) return *std::move(message);
    return Error(is_at_end ? SyncError::closed : SyncError::would_block, "receive");
  }
  /// For a thread that runs no tasks, which sleeps. None: the end.
  std::optional<T> receive_blocking() { return sync::block_thread_on(receive()); }

  /// Senders are told; what has been sent, or is sent under permits that are out, is received.
  void close() { state_->close(); }
  bool is_closed() const noexcept { return state_->slots.is_closed(); }
  /// Messages that wait.
  std::size_t size() const noexcept { return state_->size(); }

 private:
  Ref<sync::ChannelState<T>> state_;
};

/// Room for `capacity` messages, at least 1.
template <class T>
std::pair<Sender<T>, Receiver<T>> channel(std::size_t capacity) {
  if (capacity == 0) fail_fast("a channel without room", "Give it a capacity of at least 1");
  auto state = make_ref<sync::ChannelState<T>>(capacity);
  return {Sender<T>(sync::SenderShare<T>(state)), Receiver<T>(state)};
}
/// Room for everything.
template <class T>
std::pair<UnboundedSender<T>, Receiver<T>> unbounded_channel() {
  auto state = make_ref<sync::ChannelState<T>>(Semaphore::max_permits);
  return {UnboundedSender<T>(sync::SenderShare<T>(state)), Receiver<T>(state)};
}

}  // namespace skua
