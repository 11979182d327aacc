// Timekeeper: virtual time, which passes when everybody who goes by it waits. What a VirtualClock of the runtime is.
//
// It counts activities: each worker, and each thread in block_on(), while it is awake; each operation that blocks,
// until it has been completed; whoever holds time back. Who ends the last of them goes to sleep, and lets time pass
// first: it asks the followers, who are the drivers, to wake what is ready; if nothing is, it moves time to their first
// deadline, and asks again. So time passes only if otherwise nothing would ever happen, or something that comes from
// outside.
//
// No wake is overlooked:
//  1. Who wakes a sleeper counts it as awake himself, before he makes it so (begin(), then ParkToken::wake()); he is
//     counted too, or one of the activities is what wakes. The sleeper learns from its token that he has been counted.
//  2. A sleeper is counted as asleep only once its token says so, and as awake before its token does (KnownSleep).
//  3. One thread at a time lets time pass. It moves it only if no activity has begun since before it asked the
//     followers; one that has begun and ended meanwhile makes it ask again.
//  4. What it has woken may stand in its own queue, where nobody counts it: so it counts itself as awake again before
//     another may let time pass.
//
// Thread safety: all members from any thread. A follower is called with no lock held, by one thread at a time.
#pragma once

#include <skua/core/clock.hpp>
#include <skua/core/mutex.hpp>
#include <skua/core/park_token.hpp>
#include <skua/core/ref.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace skua {

class Timekeeper final : public RefCounted<Timekeeper> {
 public:
  class Follower {
   public:
    /// Wakes those whose time, or whose event, has come. False: there were none.
    virtual bool wake_ready() = 0;
    /// Exactly; Instant::max() if it waits for none.
    virtual Instant first_deadline() = 0;
    /// Time goes on in another way than it did: whoever sleeps until a moment must look at the clock again.
    virtual void look_again() noexcept = 0;

   protected:
    ~Follower() = default;
  };

  /// Time stands still at `start`, and passes when nobody is active.
  explicit Timekeeper(Instant start) noexcept;
  ~Timekeeper();

  Instant now();
  /// How long a sleep until `deadline` takes: Duration::max() while time stands still, for it is not passed in sleep.
  Duration real_time_until(Instant deadline);

  /// From add() to remove() a follower is called; not after remove() has returned.
  void add(Follower& follower);
  void remove(Follower& follower) noexcept;

  void begin() noexcept;
  /// The calling thread ends an activity. True: it was the last, it has let time pass, and woken somebody; the activity
  /// has begun again.
  [[nodiscard]] bool end() noexcept;
  /// end(), for an activity that does not go on.
  void release() noexcept {
    while (end()) {
    }
  }

  /// Time stands still.
  void pause();
  /// It goes on as real time does.
  void resume();
  /// Whether it passes while it stands still and nobody is active.
  void set_auto_advance(bool on);
  /// Wakes whose deadlines are passed, in their order.
  void advance(Duration by);

 private:
  /// So far ahead that it is a way to say never.
  static constexpr Duration never = std::chrono::hours(24 * 365 * 100);

  Instant time() const noexcept SKUA_REQUIRES(mutex_);
  bool passes_by_itself() const noexcept SKUA_REQUIRES(mutex_) { return is_paused_ && auto_advance_; }
  void let_time_pass(bool& has_woken) noexcept;
  bool wake_all_ready();
  Instant first_of_all();
  void tell_all() noexcept;
  void take_turn() SKUA_REQUIRES(mutex_);
  void end_turn() SKUA_REQUIRES(mutex_);
  void give_back_turn();
  void move_to(Instant instant);

  seam::Mutex mutex_;
  seam::Condvar turn_ends_;
  Instant now_ SKUA_GUARDED_BY(mutex_);       // while it stands still
  Duration ahead_ SKUA_GUARDED_BY(mutex_){};  // of real time, while it does not
  bool is_paused_ SKUA_GUARDED_BY(mutex_) = true;
  bool auto_advance_ SKUA_GUARDED_BY(mutex_) = true;
  bool is_turn_taken_ SKUA_GUARDED_BY(mutex_) = false;
  std::uint64_t active_ SKUA_GUARDED_BY(mutex_) = 0;
  std::uint64_t begun_ SKUA_GUARDED_BY(mutex_) = 0;  // how often
  std::vector<Follower*> followers_;                 // changed, and read, by who has the turn
};

/// An activity, from its construction to its destruction. `keeper` may be null: then it is nothing.
class [[nodiscard]] Activity {
 public:
  explicit Activity(Ref<Timekeeper> keeper) noexcept : keeper_(std::move(keeper)) {
    if (keeper_) keeper_->begin();
  }
  Activity(Activity&&) noexcept = default;
  Activity& operator=(Activity&& other) noexcept {
    std::swap(keeper_, other.keeper_);
    return *this;
  }
  ~Activity() {
    if (keeper_) keeper_->release();
  }

 private:
  Ref<Timekeeper> keeper_;
};

/// A thread that sleeps by a ParkToken, and is counted as asleep meanwhile. `keeper` may be null: then it is nothing.
class KnownSleep {
 public:
  /// After ParkToken::begin_sleep().
  explicit KnownSleep(Timekeeper* keeper) noexcept : keeper_(keeper), goes_on_(keeper != nullptr && keeper->end()) {}
  /// Time has passed, and there is something to do.
  bool is_over() const noexcept { return goes_on_; }
  /// Awake, for whatever reason. It is counted before the token says that it is awake: who would wake it then takes it
  /// to be counted.
  void end(ParkToken& token) noexcept {
    if (keeper_ != nullptr && !goes_on_) keeper_->begin();
    if (token.end_sleep() && keeper_ != nullptr) keeper_->release();  // its waker has counted it, too
  }

 private:
  Timekeeper* const keeper_;
  const bool goes_on_;
};

}  // namespace skua
