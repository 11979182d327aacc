// Scope: tasks that may borrow from who spawns them, because they end before he does.
//
//   Task<Result<Report>> report(const Database& database) {
//     Query query = parse();
//     Scope scope;                                               // declared after what the children borrow
//     auto users = scope.spawn(count_users(database, query));    // both run beside this task, on any worker
//     auto orders = scope.spawn(count_orders(database, query));
//     co_await try_(scope.join());                               // the first error has cancelled the other
//     co_return Report((co_await users).value(), (co_await orders).value());
//   }
//
// No child outlives its scope: not when the parent returns early, throws, is aborted, or is dropped as the loser of a
// select(). The destructor ends the children that are left: one that waits is destroyed on the spot, by the destroying
// thread; one that a worker is polling is destroyed by that worker when the poll returns, and the destructor waits for
// that. So what it may block for is the rest of one poll, never for something to happen. (Why: docs/decisions/.)
//
// Orderly ends. The first child that throws, or whose output is a Result with an error, cancels the scope's token; so
// do cancel() and the token's parent. A child of a cancelled scope is destroyed at the await where it waits; with a
// grace it is polled on for as long, and may clean up: it hears of the cancellation by token().cancelled(). A
// destructor gives no grace, as it cannot wait: who wants it awaits join().
//
// Thread safety: the scope and its handles are the parent's: one thread at a time. Children may use the token alone.
#pragma once

#include <skua/core/clock.hpp>
#include <skua/core/result.hpp>
#include <skua/scheduler/join_handle.hpp>
#include <skua/spawn.hpp>
#include <skua/task/cancellation_token.hpp>
#include <skua/task/wake_set.hpp>
#include <skua/time/sleep.hpp>

#include <exception>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

namespace skua {

/// What children know of their scope. Outlives it: by the token alone that somebody may have kept.
class ScopeState : public RefCounted<ScopeState> {
 public:
  ScopeState(CancellationToken token, Duration grace) noexcept : token_(std::move(token)), grace_(grace) {}

  const CancellationToken& token() const noexcept { return token_; }
  Duration grace() const noexcept { return grace_; }

  /// A child has failed. The first failure is kept, and cancels the others. Any thread.
  void fail(std::optional<Error> error, std::exception_ptr exception) noexcept;
  /// The first failure; throws it if it was an exception.
  Result<void> take_outcome();

 private:
  const CancellationToken token_;
  const Duration grace_;
  seam::Mutex mutex_;
  bool failed_ SKUA_GUARDED_BY(mutex_) = false;
  std::optional<Error> error_ SKUA_GUARDED_BY(mutex_);
  std::exception_ptr exception_ SKUA_GUARDED_BY(mutex_);
};

/// What a child, its handle and the scope share: the end of the task, told to the scope and to who joins; and the
/// output. That may borrow, so it is dropped by the handle or the scope, whichever goes last, not by who happens to be
/// the last to refer to this: a worker may be late in letting go of a waker.
class ScopeChild : public RefCounted<ScopeChild> {
 public:
  virtual ~ScopeChild() = default;

  /// The task has ended: its future is destroyed. Any thread.
  void wake() noexcept;
  /// Whether it has; if not, `waker` is woken then.
  bool poll_ended(const Waker& waker);
  /// The scope lets go of the child, whose task has ended.
  void leave_scope() noexcept {
    wake();
    if (!has_handle_) drop_output();
  }
  /// The handle is dropped.
  void leave_handle() noexcept;
  void tell(Waker scope) noexcept { scope_ = std::move(scope); }

 private:
  virtual void drop_output() noexcept = 0;

  bool has_handle_ = true;  // the parent's
  Waker scope_;             // set before the task is asked for its end, taken by wake()
  seam::Mutex mutex_;
  bool ended_ SKUA_GUARDED_BY(mutex_) = false;
  Waker joiner_ SKUA_GUARDED_BY(mutex_);
};

template <class T>
class ScopeOutput final : public ScopeChild {
 public:
  // The task's until it has ended, then the parent's.
  std::optional<JoinResult<T>> output;

 private:
  void drop_output() noexcept override { output.reset(); }
};

/// The future of a child's task: the child's, until it is ready, or the scope is cancelled and the grace is over.
template <class F>
class ScopedFuture {
  using T = Output<F>;

 public:
  ScopedFuture(Ref<ScopeState> state, Ref<ScopeOutput<T>> shared, F future) noexcept
      : state_(std::move(state)),
        shared_(std::move(shared)),
        cancelled_(state_->token().cancelled()),
        future_(std::move(future)) {}

  Poll<void> poll(Context& context) {
    if (is_over(context)) return ready;
    try {
      auto result = future_.poll(context);
      if (result.is_pending()) return pending;
      keep(std::move(result));
    } catch (...) {
      shared_->output.emplace(JoinError(std::current_exception()));
      state_->fail(std::nullopt, std::current_exception());
    }
    return ready;
  }

 private:
  bool is_over(Context& context) {
    const bool is_first = !std::exchange(has_started_, true);
    if (!grace_) {
      if (cancelled_.poll(context).is_pending()) return false;
      if (is_first || state_->grace() <= Duration::zero()) return true;
      grace_.emplace(saturating_add(Clock::now(), state_->grace()));
    }
    return grace_->poll_without_budget(context).is_ready();
  }
  void keep(Poll<T> result) {
    if constexpr (std::is_void_v<T>) {
      shared_->output.emplace();
    } else {
      shared_->output.emplace(std::move(result).take());
      if constexpr (is_result<T>) {
        T& value = **shared_->output;
        if (!value.has_value()) fail(value.error());
      }
    }
  }
  void fail(const Error& error) { state_->fail(error, nullptr); }
  template <class E>
  void fail(const E& error) {
    state_->fail(Error(error.code(), "child of a scope"), nullptr);
  }

  Ref<ScopeState> state_;
  Ref<ScopeOutput<T>> shared_;
  CancellationToken::Cancelled cancelled_;
  std::optional<Sleep> grace_;  // set once the scope is cancelled
  bool has_started_ = false;
  F future_;  // destroyed first
};

/// The output of a child; the parent's, as the scope. Dropping it changes nothing: the child runs on, and its output is
/// dropped with it. It may outlive the scope, unless the output borrows.
template <class T>
class ScopedJoinHandle {
 public:
  explicit ScopedJoinHandle(Ref<ScopeOutput<T>> shared) noexcept : shared_(std::move(shared)) {}
  ScopedJoinHandle(ScopedJoinHandle&& other) noexcept = default;
  ScopedJoinHandle& operator=(ScopedJoinHandle&& other) noexcept {
    std::swap(shared_, other.shared_);
    std::swap(taken_, other.taken_);
    return *this;
  }
  ~ScopedJoinHandle() {
    if (shared_) shared_->leave_handle();
  }

  /// Ready when the child has ended, its locals are destroyed: its output, its exception, or `cancelled`. Cancel
  /// safety: nothing is lost; may be awaited by reference.
  Poll<JoinResult<T>> poll(Context& context) {
    if (taken_) fail_fast("a ScopedJoinHandle was awaited again after it had been ready", "Await it once");
    if (!budget::take(context)) return pending;
    if (!shared_->poll_ended(context.waker())) {
      budget::give_back();
      return pending;
    }
    taken_ = true;
    if (!shared_->output) return JoinResult<T>(JoinError::cancelled());
    JoinResult<T> output = *std::move(shared_->output);
    shared_->output.reset();
    return output;
  }

 private:
  Ref<ScopeOutput<T>> shared_;
  bool taken_ = false;
};

class Scope {
 public:
  /// `grace`: how long children may go on once the scope is cancelled.
  template <class Rep = Duration::rep, class Period = Duration::period>
  explicit Scope(std::chrono::duration<Rep, Period> grace = Duration::zero()) : Scope(CancellationToken(), grace) {}
  /// Cancelled with `parent`, too.
  template <class Rep = Duration::rep, class Period = Duration::period>
  explicit Scope(const CancellationToken& parent, std::chrono::duration<Rep, Period> grace = Duration::zero())
      : state_(make_ref<ScopeState>(parent.child(), saturating_add(Instant(), grace) - Instant())) {}
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope();

  /// Starts `future` as a child, on the runtime of this thread. It may borrow what was declared before the scope. Of a
  /// cancelled scope it is destroyed without having been polled.
  template <Future F>
  ScopedJoinHandle<Output<F>> spawn(F future, std::source_location at = std::source_location::current()) {
    auto shared = make_ref<ScopeOutput<Output<F>>>();
    add(shared, skua::spawn(ScopedFuture<F>(state_, shared, std::move(future)), at));
    return ScopedJoinHandle<Output<F>>(std::move(shared));
  }
  /// The future that `fn(args...)` returns; the callable lives in the task.
  template <class Fn, class... Args>
    requires(!Future<Fn>) && std::invocable<std::decay_t<Fn>&, std::decay_t<Args>&&...>
  auto spawn(Fn&& fn, Args&&... args) {
    return spawn(
        invoke_as_task<std::decay_t<Fn>, std::decay_t<Args>...>(std::forward<Fn>(fn), std::forward<Args>(args)...));
  }

  /// Tells the children to end, and destroys them when their grace is over. Returns at once; join() waits.
  void cancel(CancelReason reason = CancelReason::user) noexcept { state_->token().cancel(reason); }
  /// For children that clean up, and for scopes and calls further down. Why it was cancelled: token().reason().
  const CancellationToken& token() const noexcept { return state_->token(); }

  /// Children that have not ended, and perhaps some that have.
  std::size_t len() const noexcept { return children_.size(); }

  /// A future, ready when all children have ended: with the error of the first that failed, if one did; an exception
  /// is thrown. Having been cancelled is no error. Borrows the scope, which may be used again afterwards if it is not
  /// cancelled. Cancel safety: nothing is lost; the children run on.
  class [[nodiscard]] Join {
   public:
    explicit Join(Scope& scope) noexcept : scope_(scope) {}
    Poll<Result<void>> poll(Context& context);

   private:
    Scope& scope_;
  };
  Join join() noexcept { return Join(*this); }

 private:
  struct Child {
    JoinHandle<void> handle;
    Ref<ScopeChild> shared;
  };

  void add(Ref<ScopeChild> shared, JoinHandle<void> handle);
  /// Lets go of the children that have ended.
  void reap();
  void take(WakeSet<Child>::Entry& entry);

  const Ref<ScopeState> state_;
  WakeSet<Child> children_;
};

}  // namespace skua
