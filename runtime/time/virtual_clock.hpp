// VirtualClock: a day of sleeps, timeouts and intervals in seconds: for tests.
//
//   VirtualClock clock;
//   Runtime runtime = Builder().clock(clock).build().value();
//   runtime.block_on(a_day_in_the_life());       // every sleep in there takes no time
//
// Time stands still while anybody has something to do, and when nobody has it moves to the next deadline. The rest of a
// runtime is as always: its workers are threads, its I/O is real. What a task sees is Clock::now().
//
// "Has something to do" are: workers and threads in block_on() that are awake, and operations that end by themselves
// (files, unblock(), spawn_blocking(), names to be resolved). A current-thread runtime has something to do unless it
// sleeps inside of block_on(): with run_once() time passes by advance() alone. Of sockets and pipes counts what is there
// already; a peer that has not answered yet may never: time passes, and a timeout comes. What the clock does not see,
// another process, a plain thread that will send something, is awaited under a hold().
//
// Wakes come in the order of deadlines, one instant after the other: a later one not before all that the earlier one
// has set going has come to rest, and exactly at its time. The order of equal deadlines is not said. Deadlines a
// century ahead are a way to say never: time does not move to them.
#pragma once

#include <skua/core/clock.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/timekeeper.hpp>

#include <chrono>
#include <utility>

namespace skua {

/// A handle: copies are the same clock. It may be given to several runtimes, which then have one time. Any thread.
class VirtualClock {
 public:
  /// Begins at the present of real time.
  VirtualClock();

  Instant now() const { return keeper_->now(); }

  /// Time moves by `step` at once, also while somebody is active. Those whose deadlines it passes are woken in their
  /// order, and then see the end of the step. (So that each sees its own instant, let time pass: sleep(step).)
  template <class Rep, class Period>
  void advance(std::chrono::duration<Rep, Period> step) {
    keeper_->advance(saturating_duration(step));
  }

  /// From resume() on time goes on as real time does, from pause() on it stands still again. At first it is paused.
  void resume() { keeper_->resume(); }
  void pause() { keeper_->pause(); }

  /// Off: paused, it moves by advance() alone. At first it is on.
  void set_auto_advance(bool on) { keeper_->set_auto_advance(on); }

  /// While there is one, time does not pass by itself.
  using Hold = Activity;
  Hold hold() const { return Hold(keeper_); }

  // For the runtime
  const Ref<Timekeeper>& keeper() const noexcept { return keeper_; }

 private:
  Ref<Timekeeper> keeper_;
};

}  // namespace skua
