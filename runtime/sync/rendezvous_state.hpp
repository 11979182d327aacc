// RendezvousState: what the ends of a rendezvous share. Users see rendezvous.hpp.
//
// Invariant: a message lies in its sender's wait until a receiver takes it out, so nothing is ever on its way and can
// be lost there. A receiver that waits is called when there is a message for it: `called_` counts those who have not
// looked since, and as many messages are theirs, so who comes later cannot go before them. One that is called in vain
// (the sender was dropped meanwhile) waits on in the first place; one that is dropped hands its call on. Never are
// there both a message that is nobody's and a receiver that waits uncalled. Memory: owned by all ends together; futures
// refer to it and must not outlive their ends. Wakers are woken, and destroyed, with no lock held.
#pragma once

#include <skua/core/atomic.hpp>
#include <skua/core/mutex.hpp>
#include <skua/core/poll.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/wait_list.hpp>

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

namespace skua::sync {

template <class T>
class RendezvousState : public RefCounted<RendezvousState<T>> {
  static_assert(std::is_nothrow_move_constructible_v<T>, "messages go from hand to hand: moving one must not throw");

 public:
  /// A sender that waits with its message.
  struct Offer : WaitNode {
    explicit Offer(T value) noexcept : message(std::move(value)) {}
    enum class State { waits, taken, refused };
    bool is_known = false;       // its own: it is in the list, or has been answered
    State state = State::waits;  // guarded by the mutex, as is:
    T message;
  };
  /// A receiver that waits. Withdraw these before they go if they are `is_known`.
  struct Wait : WaitNode {
    bool is_known = false;   // its own: it is in the list, or has been called
    bool is_called = false;  // guarded by the mutex
  };

  /// Ready when a receiver has the message: true; false: nobody receives any more.
  Poll<bool> poll(Offer& offer, const Waker& waker) {
    WakeAtEnd wake;
    Waker old;  // dropped after the lock is released
    const seam::Lock lock(mutex_);
    if (offer.state != Offer::State::waits) {
      offer.is_known = false;
      return offer.state == Offer::State::taken;
    }
    if (is_closed_) return false;
    if (!std::exchange(offer.is_known, true)) {
      offers_.push_back(offer);
      ++offered_;
      wake.set(call_next());
    }
    if (!offer.waker.will_wake(waker)) old = std::exchange(offer.waker, waker);
    return pending;
  }
  /// False: a receiver has the message.
  bool withdraw(Offer& offer) {
    const seam::Lock lock(mutex_);
    offer.is_known = false;
    if (offer.state != Offer::State::waits) return offer.state == Offer::State::refused;
    offers_.remove(offer);
    --offered_;  // if it was for somebody who has been called: he looks in vain, and waits on
    return true;
  }

  /// Ready with a message, or with none if there will be none any more.
  Poll<std::optional<T>> poll(Wait& wait, const Waker& waker) {
    WakeAtEnd wake;
    Waker old;  // dropped after the lock is released
    const seam::Lock lock(mutex_);
    const bool was_called = std::exchange(wait.is_called, false);
    if (was_called) --called_;
    if (was_called || (!wait.is_known && offered_ > called_)) {
      if (std::optional<T> message = take(wake)) {
        wait.is_known = false;
        return message;
      }
    }
    if (is_over()) {
      wait.is_known = false;
      if (wait.is_listed) waits_.remove(wait);
      return std::optional<T>();
    }
    wait.is_known = true;
    if (!wait.is_listed) was_called ? waits_.push_front(wait) : waits_.push_back(wait);
    if (!wait.waker.will_wake(waker)) old = std::exchange(wait.waker, waker);
    return pending;
  }
  void withdraw(Wait& wait) {
    WakeAtEnd wake;
    const seam::Lock lock(mutex_);
    if (!wait.is_called) {
      if (wait.is_listed) waits_.remove(wait);
      return;
    }
    --called_;
    wake.set(call_next());
  }
  /// None: nobody offers a message that is not another's.
  std::optional<T> try_receive() {
    WakeAtEnd wake;
    const seam::Lock lock(mutex_);
    if (offered_ <= called_) return std::nullopt;
    return take(wake);
  }
  bool is_at_end() noexcept {
    const seam::Lock lock(mutex_);
    return is_over();
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
    tell_receivers();
  }
  void add_receiver() noexcept {
    const seam::Lock lock(mutex_);
    ++receivers_;
  }
  void drop_receiver() {
    {
      const seam::Lock lock(mutex_);
      if (--receivers_ > 0) return;
    }
    close();
  }
  /// Those who offer are refused, and who receives comes to the end.
  void close() {
    for (bool more = true; more;) {
      WakeBatch batch;
      const seam::Lock lock(mutex_);
      is_closed_ = true;
      more = false;
      while (Offer* const offer = offers_.front()) {
        if ((more = batch.is_full())) break;
        batch.add(answer(*offer, Offer::State::refused));
      }
    }
    tell_receivers();
  }
  bool is_closed() noexcept {
    const seam::Lock lock(mutex_);
    return is_closed_;
  }

 private:
  bool is_over() const noexcept SKUA_REQUIRES(mutex_) { return is_closed_ || (senders_ == 0 && offers_.is_empty()); }
  Waker answer(Offer& offer, typename Offer::State state) SKUA_REQUIRES(mutex_) {
    offers_.remove(offer);
    --offered_;
    offer.state = state;
    return std::move(offer.waker);
  }
  std::optional<T> take(WakeAtEnd& wake) SKUA_REQUIRES(mutex_) {
    Offer* const offer = offers_.front();
    if (offer == nullptr) return std::nullopt;
    wake.set(answer(*offer, Offer::State::taken));
    return std::move(offer->message);  // before the lock is released, and the offer may go
  }
  /// The waker of the first receiver that waits, if there is a message for him.
  Waker call_next() SKUA_REQUIRES(mutex_) {
    Wait* const wait = waits_.front();
    if (wait == nullptr || offered_ <= called_) return Waker();
    waits_.remove(*wait);
    wait->is_called = true;
    ++called_;
    return std::move(wait->waker);
  }
  /// Of the end.
  void tell_receivers() {
    for (bool more = true; more;) {
      WakeBatch batch;
      const seam::Lock lock(mutex_);
      more = waits_.move_wakers(batch);
    }
  }

  seam::Mutex mutex_;
  bool is_closed_ SKUA_GUARDED_BY(mutex_) = false;
  std::size_t senders_ SKUA_GUARDED_BY(mutex_) = 1;
  std::size_t receivers_ SKUA_GUARDED_BY(mutex_) = 1;
  WaitList<Offer> offers_ SKUA_GUARDED_BY(mutex_);
  std::size_t offered_ SKUA_GUARDED_BY(mutex_) = 0;  // the length of offers_
  WaitList<Wait> waits_ SKUA_GUARDED_BY(mutex_);     // uncalled
  std::size_t called_ SKUA_GUARDED_BY(mutex_) = 0;
};

}  // namespace skua::sync
