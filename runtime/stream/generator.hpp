// Generator<T>: a coroutine that is a stream: co_yield gives an item out, co_await waits as in a Task.
//
//   Generator<std::string> lines(TcpStream stream) {
//     Framed framed(std::move(stream), LinesCodec());
//     while (auto line = co_await framed.next()) co_yield *std::move(*line);
//   }
//
// It runs while it is polled: to the next co_yield, and not at all before the first poll. It is a root like a spawned
// Task: it has a chain of its own (core/chain.hpp), in which a co_yield is a leaf that is ready when it is polled
// again.
//
// Ownership: the Generator object owns the frame, and may be moved at any time. Dropping it at any suspension point, a
// co_yield included, destroys the coroutine's locals in reverse order, what it awaits first. The frame ends with the
// stream. An exception leaves through poll_next(), and so through `co_await next(generator)`; the stream has ended
// then.
//
// g++ 12 destroys a temporary aggregate inside a co_yield expression twice, as inside co_await: give it a name.
#pragma once

#include <skua/core/budget.hpp>
#include <skua/core/task.hpp>
#include <skua/stream/stream.hpp>

#include <coroutine>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

namespace skua {

template <class T>
class Generator;

template <class T>
class GeneratorPromise : public TaskPromiseBase<void> {
 public:
  /// Suspends the coroutine until the next item is asked for.
  class [[nodiscard]] Yielded {
   public:
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<GeneratorPromise> handle) const noexcept {
      GeneratorPromise& promise = handle.promise();
      promise.chain().wait_for(Chain::handle_of(handle), &promise, [](void*, Context&) { return true; });
    }
    void await_resume() const noexcept {}
  };

  Generator<T> get_return_object() noexcept;
  void return_void() noexcept { finish(); }
  Yielded yield_value(T item, std::source_location at = std::source_location::current()) {
    note_await(at);
    item_.emplace(std::move(item));
    return Yielded();
  }

  /// What was yielded and not yet taken.
  std::optional<T> take_item() {
    std::optional<T> item = std::move(item_);
    item_.reset();
    return item;
  }
  using TaskPromiseBase<void>::rethrow_exception;

 private:
  std::optional<T> item_;
};

template <class T>
class [[nodiscard("a Generator does nothing until it is polled, by next() for example")]] Generator {
  static_assert(std::is_object_v<T>, "a generator yields objects: yield a pointer instead of a reference");

 public:
  using promise_type = GeneratorPromise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Generator(Handle handle) noexcept : handle_(handle) {}
  Generator(Generator&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Generator& operator=(Generator&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Generator() {
    if (handle_) handle_.destroy();
  }

  /// The next item that is yielded; none when the coroutine has ended, also if it is asked again. Throws what the
  /// coroutine throws. Takes a unit of the task's budget for each item. Cancel safety: no item is lost; the coroutine
  /// stays where it is.
  PollNext<T> poll_next(Context& context) {
    if (!handle_) return PollNext<T>(std::nullopt);
    if (!budget::take(context)) return pending;
    promise_type& promise = handle_.promise();
    Chain& chain = promise.has_started() ? promise.chain() : Chain::begin(handle_, promise);
    chain.advance(context);
    if (std::optional<T> item = promise.take_item()) return PollNext<T>(std::move(item));
    if (promise.has_finished()) return end();
    budget::give_back();
    return pending;
  }

 private:
  PollNext<T> end() {
    const Generator ended = std::move(*this);
    ended.handle_.promise().rethrow_exception();
    return PollNext<T>(std::nullopt);
  }

  Handle handle_;
};

template <class T>
Generator<T> GeneratorPromise<T>::get_return_object() noexcept {
  static_assert(alignof(GeneratorPromise) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__,
                "a Generator cannot yield an over-aligned type: yield a pointer to it");
  return Generator<T>(std::coroutine_handle<GeneratorPromise>::from_promise(*this));
}

}  // namespace skua
