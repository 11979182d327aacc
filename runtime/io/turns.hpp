// Turns: tasks take turns, in the order in which they asked: a lock that is waited for without blocking a thread.
//
// Thread safety: any thread. Wakers are woken with no lock held. A turn that was given to a wait which is dropped goes
// on to the next.
#pragma once

#include <skua/core/context.hpp>
#include <skua/core/mutex.hpp>
#include <skua/core/poll.hpp>

#include <utility>

namespace skua {

class Turns {
 public:
  /// Ends with the object.
  class [[nodiscard]] Turn {
   public:
    explicit Turn(Turns& turns) noexcept : turns_(&turns) {}
    Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)) {}
    Turn& operator=(Turn&& other) noexcept {
      std::swap(turns_, other.turns_);
      return *this;
    }
    ~Turn() {
      if (turns_ != nullptr) turns_->end_turn();
    }

   private:
    Turns* turns_;
  };

  /// A future of Turn.
  class [[nodiscard]] Wait {
   public:
    explicit Wait(Turns& turns) noexcept : turns_(turns) {}
    /// Only before the first poll.
    Wait(Wait&& other) noexcept : turns_(other.turns_) { SKUA_ASSERT(!other.is_known_); }
    ~Wait() {
      if (is_known_) turns_.withdraw(*this);
    }
    Poll<Turn> poll(Context& context) { return turns_.poll(*this, context.waker()); }

   private:
    friend class Turns;
    Turns& turns_;
    bool is_known_ = false;  // this future's own: queued, or granted and not yet handed out
    // Guarded by the mutex of the Turns
    bool is_granted_ = false;
    Waker waker_;
    Wait* next_ = nullptr;
    Wait* previous_ = nullptr;
  };

  Wait take() noexcept { return Wait(*this); }

 private:
  Poll<Turn> poll(Wait& wait, const Waker& waker);
  void withdraw(Wait& wait);
  void end_turn();
  /// Gives the turn to who waits longest, and returns his waker; nobody: the turn is free.
  Waker pass_on() SKUA_REQUIRES(mutex_);
  void unlink(Wait& wait) SKUA_REQUIRES(mutex_);

  seam::Mutex mutex_;
  bool taken_ SKUA_GUARDED_BY(mutex_) = false;
  Wait* first_ SKUA_GUARDED_BY(mutex_) = nullptr;
  Wait* last_ SKUA_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace skua
