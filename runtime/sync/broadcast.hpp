// broadcast: a queue whose messages go to every receiver.
//
//   auto [sender, receiver] = broadcast<Event>(256);
//   sender.send(event);
//   Result<std::shared_ptr<const Event>> event = co_await receiver.receive();
//
// The sender never waits: the queue keeps the latest messages, as many as its capacity, and who has not received one by
// then gets SyncError::lagged once, learns from missed() how many, and goes on with the oldest that is there.
// A receiver gets what is sent after it came to be. Messages are shared, immutable.
// The end: SyncError::closed when the last sender has gone and everything has been received.
// Cancel safety: a dropped receive() has received nothing.
// Thread safety: senders from any thread; each receiver belongs to one at a time. Any executor. One allocation a
// message.
#pragma once

#include <skua/core/mutex.hpp>
#include <skua/core/result.hpp>
#include <skua/sync/sync_error.hpp>
#include <skua/sync/wait_until.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace skua {

namespace sync {

template <class T>
class BroadcastState {
 public:
  using Message = std::shared_ptr<const T>;
  explicit BroadcastState(std::size_t capacity) : messages_(capacity) {}

  void send(Message message) {  // what is overwritten goes with the argument, after the lock is released
    {
      const seam::Lock lock(mutex_);
      message.swap(messages_[static_cast<std::size_t>(sent_ % messages_.size())]);
      ++sent_;
    }
    changed.notify_waiters();
  }
  std::uint64_t sent() {
    const seam::Lock lock(mutex_);
    return sent_;
  }
  /// None: nothing new. `next` is the number of the message that is wanted; `missed` counts those that are gone.
  std::optional<Result<Message>> receive(std::uint64_t& next, std::uint64_t& missed) {
    const seam::Lock lock(mutex_);
    const std::uint64_t oldest = sent_ > messages_.size() ? sent_ - messages_.size() : 0;
    if (next < oldest) {
      missed += oldest - next;
      next = oldest;
      return Result<Message>(Error(SyncError::lagged, "receive"));
    }
    if (next < sent_) return Result<Message>(messages_[static_cast<std::size_t>(next++ % messages_.size())]);
    if (senders_ == 0) return Result<Message>(Error(SyncError::closed, "receive"));
    return std::nullopt;
  }
  void add_sender() noexcept {
    const seam::Lock lock(mutex_);
    ++senders_;
  }
  void drop_sender() {
    {
      const seam::Lock lock(mutex_);
      if (--senders_ > 0) return;
    }
    changed.notify_waiters();
  }

  Notify changed;

 private:
  seam::Mutex mutex_;
  std::vector<Message> messages_ SKUA_GUARDED_BY(mutex_);  // number n at n % capacity
  std::uint64_t sent_ SKUA_GUARDED_BY(mutex_) = 0;
  std::size_t senders_ SKUA_GUARDED_BY(mutex_) = 1;
};

}  // namespace sync

/// Copyable: a copy goes on from where this one is.
template <class T>
class BroadcastReceiver {
 public:
  BroadcastReceiver(std::shared_ptr<sync::BroadcastState<T>> state, std::uint64_t next) noexcept
      : state_(std::move(state)), next_(next) {}

  /// A future of Result<std::shared_ptr<const T>>. Errors: SyncError::lagged, SyncError::closed.
  auto receive() noexcept {
    return sync::WaitUntil(state_->changed, [this] { return state_->receive(next_, missed_); });
  }
  /// Errors: these, and SyncError::would_block.
  Result<std::shared_ptr<const T>> try_receive() {
    auto found = state_->receive(next_, missed_);
    if (!found) return Error(SyncError::would_block, "receive");
    return *std::move(found);
  }
  /// How many it has missed, ever.
  std::uint64_t missed() const noexcept { return missed_; }
  /// How many are there for it, those that it will miss included.
  std::uint64_t size() const { return state_->sent() - next_; }

 private:
  std::shared_ptr<sync::BroadcastState<T>> state_;
  std::uint64_t next_;
  std::uint64_t missed_ = 0;
};

template <class T>
class BroadcastSender {
 public:
  /// Takes over a count among the senders.
  explicit BroadcastSender(std::shared_ptr<sync::BroadcastState<T>> state) noexcept : state_(std::move(state)) {}
  BroadcastSender(const BroadcastSender& other) noexcept : state_(other.state_) {
    if (state_) state_->add_sender();
  }
  BroadcastSender(BroadcastSender&&) noexcept = default;
  BroadcastSender& operator=(BroadcastSender other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~BroadcastSender() {
    if (state_) state_->drop_sender();
  }

  /// Does not wait. Also if nobody receives.
  void send(T message) { state_->send(std::make_shared<const T>(std::move(message))); }
  /// A receiver of what is sent from now on.
  BroadcastReceiver<T> subscribe() const { return BroadcastReceiver<T>(state_, state_->sent()); }

 private:
  std::shared_ptr<sync::BroadcastState<T>> state_;
};

/// Keeps the latest `capacity` messages, at least 1.
template <class T>
std::pair<BroadcastSender<T>, BroadcastReceiver<T>> broadcast(std::size_t capacity) {
  if (capacity == 0) fail_fast("a broadcast without room", "Give it a capacity of at least 1");
  auto state = std::make_shared<sync::BroadcastState<T>>(capacity);
  return {BroadcastSender<T>(state), BroadcastReceiver<T>(state, 0)};
}

}  // namespace skua
