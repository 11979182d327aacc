// ChannelState: what the senders and receivers of a channel share. Users see channel.hpp.
//
// Invariant: a message is in the queue only while nobody waits for one; a message for somebody who waits is put into
// his hands. Each message, in the queue or in hands that have not looked, holds one permit of `slots`, which is given
// back when it is taken; so does a sender between reserve() and send(). `slots` is closed when the last sender has
// gone, or the receivers want no more; from then on the channel is at its end when all permits are back. A wait that is
// dropped with a message in its hands gives it to who waits next, or puts it back at the head: messages stay in order.
// Memory: owned by all ends together. The queue is emptied when the last receiver goes. Wakers and messages are
// destroyed with no lock held.
#pragma once

#include <skua/core/atomic.hpp>
#include <skua/core/mutex.hpp>
#include <skua/core/poll.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/wait_list.hpp>
#include <skua/sync/semaphore.hpp>

#include <cstddef>
#include <deque>
#include <optional>
#include <type_traits>
#include <utility>

namespace skua::sync {

template <class T>
class ChannelState : public RefCounted<ChannelState<T>> {
  static_assert(std::is_nothrow_move_constructible_v<T>, "messages go from hand to hand: moving one must not throw");

 public:
  /// With one sender and one receiver.
  explicit ChannelState(std::size_t room) : slots(room), capacity(room) {}

  /// A receiver that waits. Withdraw it before it goes if it `is_known`.
  struct Wait : WaitNode {
    bool is_known = false;     // its own: it is in the list, or has been answered
    bool is_answered = false;  // guarded by the mutex, as is:
    std::optional<T> message;  // the answer; none: there will be none any more
  };

  /// A sender that waits for room. Dropped with room that it was granted it gives that back, which may be all that the
  /// end has waited for.
  class Room {
   public:
    explicit Room(ChannelState& state) noexcept : look_{state}, wait_(state.slots, 1) {}
    /// True: the caller has a permit of `slots`. False: it is closed.
    Poll<bool> poll(Context& context) { return wait_.poll(context); }

   private:
    struct LookForTheEnd {
      ChannelState& state;
      ~LookForTheEnd() { state.end_if_closed(); }
    };
    LookForTheEnd look_;  // after the wait has gone
    Semaphore::Wait wait_;
  };

  Semaphore slots;
  const std::size_t capacity;

  // --- Senders

  /// By who holds a permit of `slots`, which goes with the message. False, and both are left to the caller: nobody
  /// receives any more.
  bool push(T& message) {
    if (deliver(message)) return true;
    slots.close();  // the last receiver is about to: who is refused finds it closed
    return false;
  }
  // relaxed: whoever adds a sender is or has one
  void add_sender() noexcept { senders_.fetch_add(1, std::memory_order_relaxed); }
  /// False: there is none any more.
  bool add_sender_if_any() noexcept {
    std::size_t seen = senders_.load(std::memory_order_relaxed);
    while (seen != 0) {
      // relaxed, both: it orders nothing
      if (senders_.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed, std::memory_order_relaxed))
        return true;
    }
    return false;
  }
  void drop_sender() {
    // [CH1] acq_rel, pairs with itself: what all senders did comes before the end.
    if (senders_.fetch_sub(1, std::memory_order_acq_rel) == 1) close();
  }

  // --- Receivers

  /// Ready with a message, or with none if there will be none any more.
  Poll<std::optional<T>> poll(Wait& wait, const Waker& waker) {
    Waker old;  // dropped after the lock is released
    std::optional<T> message;
    {
      const seam::Lock lock(mutex_);
      if (wait.is_answered) {
        wait.is_known = false;
        message = std::move(wait.message);
      } else if (!messages_.empty()) {
        message = pop();
      } else if (!is_over()) {
        if (!std::exchange(wait.is_known, true)) waits_.push_back(wait);
        if (!wait.waker.will_wake(waker)) old = std::exchange(wait.waker, waker);
        return pending;
      } else if (std::exchange(wait.is_known, false)) {
        waits_.remove(wait);
      }
    }
    if (message) give_back(1);
    return message;
  }
  void withdraw(Wait& wait) {
    WakeAtEnd wake;
    const seam::Lock lock(mutex_);
    if (!wait.is_answered) return waits_.remove(wait);
    if (!wait.message) return;
    if (Wait* const next = waits_.front()) {
      wake.set(answer(*next, *std::move(wait.message)));
    } else if (receivers_ > 0) {
      messages_.push_front(*std::move(wait.message));
    }
  }
  std::optional<T> try_receive() {
    std::optional<T> message;
    {
      const seam::Lock lock(mutex_);
      if (!messages_.empty()) message = pop();
    }
    if (message) give_back(1);
    return message;
  }
  void add_receiver() noexcept {
    const seam::Lock lock(mutex_);
    ++receivers_;
  }
  void drop_receiver() {
    std::deque<T> unseen;
    {
      const seam::Lock lock(mutex_);
      if (--receivers_ > 0) return;
      unseen.swap(messages_);
    }
    close();
    if (!unseen.empty()) slots.release(unseen.size());
  }
  bool is_at_end() noexcept {
    const seam::Lock lock(mutex_);
    return is_over();
  }
  std::size_t size() noexcept {
    const seam::Lock lock(mutex_);
    return messages_.size();
  }

  // --- Both

  /// No more permits are given out; what was sent, and what is sent under permits that are out, is still received.
  void close() {
    slots.close();
    end_if_over();
  }
  /// Permits that no message goes with.
  void give_back(std::size_t permits) {
    slots.release(permits);
    end_if_closed();
  }

 private:
  bool is_over() const noexcept SKUA_REQUIRES(mutex_) {
    return slots.is_closed() && slots.available_permits() == capacity;
  }
  bool deliver(T& message) {
    WakeAtEnd wake;
    const seam::Lock lock(mutex_);
    if (receivers_ == 0) return false;
    if (Wait* const wait = waits_.front()) {
      wake.set(answer(*wait, std::move(message)));
    } else {
      messages_.push_back(std::move(message));
    }
    return true;
  }
  T pop() SKUA_REQUIRES(mutex_) {
    T message(std::move(messages_.front()));
    messages_.pop_front();
    return message;
  }
  Waker answer(Wait& wait, std::optional<T> message) SKUA_REQUIRES(mutex_) {
    waits_.remove(wait);
    wait.is_answered = true;
    wait.message = std::move(message);
    return std::move(wait.waker);
  }
  void end_if_closed() {
    if (slots.is_closed()) end_if_over();
  }
  void end_if_over() {
    for (bool more = true; more;) {
      WakeBatch batch;
      const seam::Lock lock(mutex_);
      more = false;
      if (!is_over()) return;
      while (Wait* const wait = waits_.front()) {
        if ((more = batch.is_full())) break;
        batch.add(answer(*wait, std::nullopt));
      }
    }
  }

  seam::Atomic<std::size_t> senders_{1};
  seam::Mutex mutex_;
  std::size_t receivers_ SKUA_GUARDED_BY(mutex_) = 1;
  std::deque<T> messages_ SKUA_GUARDED_BY(mutex_);
  WaitList<Wait> waits_ SKUA_GUARDED_BY(mutex_);
};

}  // namespace skua::sync
