// Task<T>: a coroutine that is a future.
//
//   Task<int> answer(TcpStream stream) { co_await sleep(1s); co_return 42; }
//
// A Task does nothing until it is polled: by `co_await` in another Task, by spawn(), by block_on(). `co_await`
// takes any Future, any Task, and try_() (try.hpp). Each await notes its source line (chain.hpp).
//
// Ownership: the Task object owns the frame. Dropping it at any suspension point cancels the coroutine: its
// locals are destroyed in reverse order, what it awaits first. The frame also ends as soon as its result is taken.
// Exceptions leave through co_await, or through whoever polls the root.
//
// g++ 12 destroys a capturing lambda or an aggregate temporary twice if it stands inside a co_await expression;
// give it a name and move it in. See README.md.
#pragma once

#include <skua/core/await.hpp>
#include <skua/core/chain.hpp>
#include <skua/core/frame_allocator.hpp>
#include <skua/core/future.hpp>
#include <skua/core/try.hpp>

#include <coroutine>
#include <exception>
#include <optional>
#include <source_location>
#include <utility>

namespace skua {

template <class T>
class Task;

template <class T>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<Task<T>> = true;

/// The part of a promise that does not depend on how the coroutine returns.
template <class T>
class TaskPromiseBase : public ChainLink {
 public:
  static void* operator new(std::size_t size) { return frames::allocate_frame(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { frames::deallocate_frame(frame, size); }

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter<transfer> final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { exception_ = std::current_exception(); }

  template <class Awaited>
  auto await_transform(Awaited&& awaited, std::source_location at = std::source_location::current()) noexcept {
    using Plain = std::remove_cvref_t<Awaited>;
    note_await(at);
    if constexpr (is_task<Plain>) {
      // A borrowed task may outlive this coroutine, and may be awaited again: it must not depend on our chain.
      if constexpr (std::is_lvalue_reference_v<Awaited>) {
        if (!awaited.link().has_started()) Chain::begin(awaited.handle(), awaited.link());
      }
      return TaskAwaiter<Plain, transfer>(awaited, *this);
    } else if constexpr (is_try<Plain>) {
      return TryAwaiter<typename Plain::FutureType, T, transfer>(awaited.future(), *this);
    } else {
      static_assert(Future<Plain>, "co_await takes a Task or a Future (a type with Poll<T> poll(Context&))");
      return FutureAwaiter<Plain>(awaited, *this);
    }
  }

  /// True once the coroutine has returned, thrown, or been ended by try_().
  bool has_finished() const noexcept { return finished_ || exception_ != nullptr; }

 protected:
  void finish() noexcept { finished_ = true; }
  void rethrow_exception() {
    if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
  }

 private:
  std::exception_ptr exception_;
  bool finished_ = false;
};

template <class T>
class TaskPromise : public TaskPromiseBase<T> {
 public:
  Task<T> get_return_object() noexcept;

  template <class U = T>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
    this->finish();
  }
  /// The value, or throws the exception. Requires has_finished(); once.
  T take() {
    this->rethrow_exception();
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class TaskPromise<void> : public TaskPromiseBase<void> {
 public:
  Task<void> get_return_object() noexcept;
  void return_void() noexcept { finish(); }
  void take() { rethrow_exception(); }
};

template <class T = void>
class [[nodiscard("a Task does nothing until it is awaited, spawned or blocked on")]] Task {
 public:
  using promise_type = TaskPromise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle handle) noexcept : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  /// Polls the task as a future of its own. Throws what the coroutine threw.
  Poll<T> poll(Context& context) {
    SKUA_ASSERT(handle_);
    ChainLink& link = handle_.promise();
    Chain& chain = link.has_started() ? link.chain() : Chain::begin(handle_, link);
    chain.advance(context);
    if (!has_finished()) return pending;
    if constexpr (std::is_void_v<T>) {
      take_result();
      return ready;
    } else {
      return take_result();
    }
  }

  // For schedulers and awaiters.
  Handle handle() const noexcept { return handle_; }
  ChainLink& link() const noexcept { return handle_.promise(); }
  bool has_finished() const noexcept { return handle_.promise().has_finished(); }
  /// Gives the frame away.
  Handle release() noexcept { return std::exchange(handle_, nullptr); }
  /// Ends the coroutine and moves its result out. Requires has_finished().
  T take_result() {
    const Task done = std::move(*this);
    return done.handle_.promise().take();
  }

 private:
  Handle handle_;
};

template <class T>
Task<T> TaskPromise<T>::get_return_object() noexcept {
  static_assert(alignof(TaskPromise) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__,
                "a Task cannot return an over-aligned type: return a pointer to it");
  return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

inline Task<void> TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

}  // namespace skua
