// rendezvous: a channel without room: a message goes from hand to hand, and a send is over when a receiver has it.
//
//   auto [sender, receiver] = rendezvous<Job>();
//   co_await try_(sender.send(job));             // somebody has it now
//   while (std::optional<Job> job = co_await receiver.receive()) ...
//
// Any number of senders and receivers: copy them. Both are served first come first served.
// The end: a receiver gets none when the last sender has gone, or close() was called; a sender gets SyncError::closed
// when the last receiver has gone, or close() was called.
// Cancel safety: a dropped receive() has received nothing. A dropped send() has not sent, unless a receiver took the
// message after the last poll: who gives up and must know calls take_back(). There is no third place for a message.
// Thread safety: each end belongs to one thread at a time, copies of it to others; under any executor. An end must
// outlive its futures. Messages are moved and must not throw when they are.
#pragma once

#include <skua/core/budget.hpp>
#include <skua/core/result.hpp>
#include <skua/sync/block_thread_on.hpp>
#include <skua/sync/rendezvous_state.hpp>
#include <skua/sync/sync_error.hpp>

#include <optional>
#include <utility>

namespace skua {

template <class T>
class RendezvousSender {
 public:
  /// Takes over a count among the senders.
  explicit RendezvousSender(Ref<sync::RendezvousState<T>> state) noexcept : state_(std::move(state)) {}
  RendezvousSender(const RendezvousSender& other) noexcept : state_(other.state_) {
    if (state_) state_->add_sender();
  }
  RendezvousSender(RendezvousSender&&) noexcept = default;
  RendezvousSender& operator=(RendezvousSender other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~RendezvousSender() {
    if (state_) state_->drop_sender();
  }

  /// A future of Result<void>, ready when a receiver has the message. Error: SyncError::closed, nobody has got it and
  /// it goes with the future. Cancel safety: see above; the place in the queue is lost.
  class [[nodiscard]] Send {
   public:
    Send(sync::RendezvousState<T>& state, T message) noexcept : state_(state), offer_(std::move(message)) {}
    /// Before the first poll only.
    Send(Send&& other) noexcept : state_(other.state_), offer_(std::move(other.offer_.message)) {
      SKUA_ASSERT(!other.offer_.is_known);
    }
    ~Send() {
      if (offer_.is_known) state_.withdraw(offer_);
    }
    Poll<Result<void>> poll(Context& context) {
      if (!budget::take(context)) return pending;
      Poll<bool> taken = state_.poll(offer_, context.waker());
      if (taken.is_pending()) {
        budget::give_back();
        return pending;
      }
      return taken.value() ? Result<void>() : Result<void>(Error(SyncError::closed, "send"));
    }
    /// Gives up, once, instead of another poll: the message, or none if a receiver has it.
    std::optional<T> take_back() {
      if (offer_.is_known && !state_.withdraw(offer_)) return std::nullopt;
      return std::move(offer_.message);
    }

   private:
    sync::RendezvousState<T>& state_;
    typename sync::RendezvousState<T>::Offer offer_;
  };
  Send send(T message) noexcept { return Send(*state_, std::move(message)); }
  /// For a thread that runs no tasks, which sleeps.
  Result<void> send_blocking(T message) { return sync::block_thread_on(send(std::move(message))); }

  /// Nobody receives any more.
  bool is_closed() const noexcept { return state_->is_closed(); }

 private:
  Ref<sync::RendezvousState<T>> state_;
};

template <class T>
class RendezvousReceiver {
 public:
  /// Takes over a count among the receivers.
  explicit RendezvousReceiver(Ref<sync::RendezvousState<T>> state) noexcept : state_(std::move(state)) {}
  RendezvousReceiver(const RendezvousReceiver& other) noexcept : state_(other.state_) {
    if (state_) state_->add_receiver();
  }
  RendezvousReceiver(RendezvousReceiver&&) noexcept = default;
  RendezvousReceiver& operator=(RendezvousReceiver other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~RendezvousReceiver() {
    if (state_) state_->drop_receiver();
  }

  /// A future of std::optional<T>; none: the end. Cancel safety: see above; the place in the queue is lost.
  class [[nodiscard]] Receive {
   public:
    explicit Receive(sync::RendezvousState<T>& state) noexcept : state_(state) {}
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
    sync::RendezvousState<T>& state_;
    typename sync::RendezvousState<T>::Wait wait_;
  };
  Receive receive() noexcept { return Receive(*state_); }

  /// From a sender that waits, unless receivers wait who came before. Errors: SyncError::would_block;
  /// SyncError::closed: the end.
  Result<T> try_receive() {
    const bool is_at_end = state_->is_at_end();  // before the look, so that nothing can come after it
    std::optional<T> message = state_->try_receive();
    if (message) return *std::move(message);
    return Error(is_at_end ? SyncError::closed : SyncError::would_block, "receive");
  }
  /// For a thread that runs no tasks, which sleeps. None: the end.
  std::optional<T> receive_blocking() { return sync::block_thread_on(receive()); }

  /// Senders that wait are refused, as are those who come.
  void close() { state_->close(); }
  bool is_closed() const noexcept { return state_->is_closed(); }

 private:
  Ref<sync::RendezvousState<T>> state_;
};

template <class T>
std::pair<RendezvousSender<T>, RendezvousReceiver<T>> rendezvous() {
  auto state = make_ref<sync::RendezvousState<T>>();
  return {RendezvousSender<T>(state), RendezvousReceiver<T>(state)};
}

}  // namespace skua
