// oneshot: one value, from one task to another.
//
//   auto [sender, receiver] = oneshot<Reply>();
//   sender.send(reply);                       // here
//   Reply reply = co_await try_(receiver);    // there
//
// Whoever goes first tells the other: a receiver whose sender has gone without a value is ready with SyncError::closed;
// a sender learns from is_closed() or closed() that nobody waits any more. Cancel safety: the receiver is itself the
// future; borrowed in a select() it loses nothing. Thread safety: the two ends belong to a thread each; any executor.
// One allocation.
#pragma once

#include <skua/core/context.hpp>
#include <skua/core/mutex.hpp>
#include <skua/core/poll.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/result.hpp>
#include <skua/sync/block_thread_on.hpp>
#include <skua/sync/sync_error.hpp>

#include <optional>
#include <utility>

namespace skua {

namespace sync {

template <class T>
class OneshotState : public RefCounted<OneshotState<T>> {
 public:
  /// False, and `value` is left alone, if nobody receives any more.
  bool send(T& value) {
    Waker receiver;
    {
      const seam::Lock lock(mutex_);
      if (is_closed_) return false;
      value_.emplace(std::move(value));
      is_closed_ = true;
      receiver = std::move(receiver_);
    }
    std::move(receiver).wake();
    return true;
  }
  /// By either end when it goes, or the receiver when it wants no value any more.
  void close() {
    Waker receiver;
    Waker sender;
    {
      const seam::Lock lock(mutex_);
      is_closed_ = true;
      receiver = std::move(receiver_);
      sender = std::move(sender_);
    }
    std::move(receiver).wake();
    std::move(sender).wake();
  }
  Poll<Result<T>> poll_receive(const Waker& waker) {
    Waker old;
    const seam::Lock lock(mutex_);
    if (value_) {
      Result<T> result(*std::move(value_));
      value_.reset();
      return result;
    }
    if (is_closed_) return Result<T>(Error(SyncError::closed, "receive"));
    if (!receiver_.will_wake(waker)) old = std::exchange(receiver_, waker);
    return pending;
  }
  Poll<void> poll_closed(const Waker& waker) {
    Waker old;
    const seam::Lock lock(mutex_);
    if (is_closed_) return ready;
    if (!sender_.will_wake(waker)) old = std::exchange(sender_, waker);
    return pending;
  }
  bool is_closed() {
    const seam::Lock lock(mutex_);
    return is_closed_;
  }
  /// Of what nobody will receive.
  void drop_value() {
    std::optional<T> value;  // destroyed after the lock is released
    const seam::Lock lock(mutex_);
    value.swap(value_);
  }

 private:
  seam::Mutex mutex_;
  bool is_closed_ SKUA_GUARDED_BY(mutex_) = false;  // there will be no value any more, or it is there
  std::optional<T> value_ SKUA_GUARDED_BY(mutex_);
  Waker receiver_ SKUA_GUARDED_BY(mutex_);
  Waker sender_ SKUA_GUARDED_BY(mutex_);
};

}  // namespace sync

template <class T>
class OneshotSender {
 public:
  explicit OneshotSender(Ref<sync::OneshotState<T>> state) noexcept : state_(std::move(state)) {}
  OneshotSender(OneshotSender&&) noexcept = default;
  OneshotSender& operator=(OneshotSender&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~OneshotSender() {
    if (state_) state_->close();
  }

  /// Once. Error: SyncError::closed, the receiver has gone; then `value` is left as it was.
  Result<void> send(T&& value) {
    if (!state_->send(value)) return Error(SyncError::closed, "send");
    return {};
  }
  Result<void> send(const T& value) { return send(T(value)); }
  bool is_closed() const { return state_->is_closed(); }

  class [[nodiscard]] Closed {
   public:
    explicit Closed(Ref<sync::OneshotState<T>> state) noexcept : state_(std::move(state)) {}
    Poll<void> poll(Context& context) { return state_->poll_closed(context.waker()); }

   private:
    Ref<sync::OneshotState<T>> state_;
  };
  /// Ready when nobody receives any more: what was asked for is of no use. One such future at a time.
  Closed closed() noexcept { return Closed(state_); }

 private:
  Ref<sync::OneshotState<T>> state_;
};

/// A future of Result<T>. Error: SyncError::closed, the sender has gone without a value.
template <class T>
class [[nodiscard]] OneshotReceiver {
 public:
  explicit OneshotReceiver(Ref<sync::OneshotState<T>> state) noexcept : state_(std::move(state)) {}
  OneshotReceiver(OneshotReceiver&&) noexcept = default;
  OneshotReceiver& operator=(OneshotReceiver&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~OneshotReceiver() {
    if (!state_) return;
    state_->close();
    state_->drop_value();
  }

  Poll<Result<T>> poll(Context& context) { return state_->poll_receive(context.waker()); }
  /// Errors: SyncError::would_block, SyncError::closed.
  Result<T> try_receive() {
    Poll<Result<T>> result = state_->poll_receive(Waker::noop());
    if (result.is_pending()) return Error(SyncError::would_block, "receive");
    return std::move(result).take();
  }
  /// For a thread that runs no tasks, which sleeps.
  Result<T> receive_blocking() && { return sync::block_thread_on(std::move(*this)); }
  /// The sender is told; a value that is there can still be received.
  void close() { state_->close(); }

 private:
  Ref<sync::OneshotState<T>> state_;
};

template <class T>
std::pair<OneshotSender<T>, OneshotReceiver<T>> oneshot() {
  auto state = make_ref<sync::OneshotState<T>>();
  OneshotSender<T> sender(state);
  return {std::move(sender), OneshotReceiver<T>(std::move(state))};
}

}  // namespace skua
