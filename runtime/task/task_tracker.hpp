// TaskTracker: waits until all of its tasks have ended; keeps none of their outputs and aborts none of them.
//
//   TaskTracker connections;
//   for (;;) connections.spawn(serve(co_await try_(listener.accept())));   // ... until told to stop; then
//   connections.close();
//   co_await connections.wait();
//
// For a service that starts tasks as long as it lives: a JoinSet keeps each output until it is taken, this one counts.
// Copies are the same tracker. Any thread.
#pragma once

#include <skua/core/atomic.hpp>
#include <skua/core/future.hpp>
#include <skua/core/mutex.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/wait_list.hpp>
#include <skua/spawn.hpp>

#include <source_location>
#include <type_traits>
#include <utility>

namespace skua {

class TaskTracker {
  struct State;

 public:
  TaskTracker();

  /// Counts as one task until it is destroyed. For what is not a future of its own, a callback for example.
  class Token {
   public:
    Token(const Token& other) noexcept : Token(other.state_) {}
    Token(Token&& other) noexcept : state_(std::move(other.state_)) {}
    Token& operator=(Token other) noexcept {
      std::swap(state_, other.state_);
      return *this;
    }
    ~Token();

   private:
    friend class TaskTracker;
    explicit Token(Ref<State> state) noexcept;
    Ref<State> state_;
  };
  Token token() const noexcept { return Token(state_); }

  /// `future`, counted until it has been destroyed.
  template <class F>
  class [[nodiscard]] Tracked {
   public:
    Tracked(Token token, F future) : token_(std::move(token)), future_(std::move(future)) {}
    Poll<Output<F>> poll(Context& context) { return future_.poll(context); }

   private:
    Token token_;  // destroyed after the future: who waits finds the future's locals gone
    F future_;
  };
  template <Future F>
  Tracked<F> track(F future) const {
    return Tracked<F>(token(), std::move(future));
  }
  /// skua::spawn() of a tracked future. A tracker that is closed counts it all the same.
  template <Future F>
  JoinHandle<Output<F>> spawn(F future, std::source_location at = std::source_location::current()) const {
    return skua::spawn(track(std::move(future)), at);
  }

  /// wait() may be ready from now on. False: it was closed.
  bool close() const noexcept;
  /// False: it was open.
  bool reopen() const noexcept;
  bool is_closed() const noexcept;
  /// How many tasks there are.
  std::size_t len() const noexcept;
  bool is_empty() const noexcept { return len() == 0; }

  /// Ready once the tracker has been closed and empty at the same time, be it for a moment.
  class [[nodiscard]] Wait {
   public:
    explicit Wait(Ref<State> state) noexcept;
    /// Only before the first poll.
    Wait(Wait&& other) noexcept;
    ~Wait();
    Poll<void> poll(Context& context);

   private:
    Ref<State> state_;
    WaitNode node_;  // guarded by the state's mutex, once it is enlisted
    bool was_enlisted_ = false;
  };
  /// Any number may wait. Cancel safety: nothing to lose.
  Wait wait() const noexcept { return Wait(state_); }

 private:
  struct State : RefCounted<State> {
    void wake();

    seam::Atomic<std::uint64_t> word{0};  // twice the number of tasks; 1 more: closed
    seam::Mutex mutex;
    WaitList<> waiters SKUA_GUARDED_BY(mutex);
  };

  Ref<State> state_;
};

}  // namespace skua
