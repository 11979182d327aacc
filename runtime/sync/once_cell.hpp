// OnceCell<T>: a value that is made once, by whoever needs it first, and read by all from then on.
//
//   OnceCell<Pool> pool;
//   Pool& shared = *co_await pool.get_or_init(connect);      // Task<Pool> connect()
//
// Of those who come while it is being made one makes it, the others wait; if he is cancelled, fails or throws, the next
// of them tries. Once set it never changes, and pointers to the value stay good for as long as the cell lives.
// Cancel safety: dropping a get_or_init() that waits changes nothing; dropping the one that makes the value lets the
// next do it. Thread safety: any thread, under any executor. It must outlive its futures.
#pragma once

#include <skua/core/result.hpp>
#include <skua/core/task.hpp>
#include <skua/sync/semaphore.hpp>

#include <optional>
#include <utility>

namespace skua {

template <class T>
class OnceCell {
 public:
  OnceCell() = default;
  OnceCell(const OnceCell&) = delete;
  OnceCell& operator=(const OnceCell&) = delete;

  /// Null until it is set.
  T* get() noexcept { return is_set() ? &*value_ : nullptr; }
  const T* get() const noexcept { return is_set() ? &*value_ : nullptr; }
  bool is_set() const noexcept { return turn_.is_closed(); }

  /// False, and `value` is left alone, if it is set, or is just being made.
  template <class U>
  bool set(U&& value) {
    if (turn_.try_take(1) != Semaphore::Attempt::taken) return false;
    publish(SemaphorePermit<>(&turn_, 1), std::forward<U>(value));
    return true;
  }

  /// The value, of the future that `make()` returns if there is none yet.
  template <class Make>
  Task<T*> get_or_init(Make make) {
    if (T* const there = get()) co_return there;
    Result<SemaphorePermit<>> turn = co_await turn_.acquire();
    if (turn) {
      auto future = make();
      publish(*std::move(turn), co_await std::move(future));
    }
    co_return get();
  }
  /// The same where `make()` returns a future of Result<T>; its error stays with who got it.
  template <class Make>
  Task<Result<T*>> get_or_try_init(Make make) {
    if (T* const there = get()) co_return there;
    Result<SemaphorePermit<>> turn = co_await turn_.acquire();
    if (turn) {
      auto future = make();
      Result<T> made = co_await std::move(future);
      if (!made) co_return std::move(made).error();
      publish(*std::move(turn), *std::move(made));
    }
    co_return get();
  }

 private:
  template <class U>
  void publish(SemaphorePermit<> turn, U&& value) {
    value_.emplace(std::forward<U>(value));
    turn.forget();
    turn_.close();  // and so tells all who wait, and who comes
  }

  Semaphore turn_{1};
  std::optional<T> value_;
};

}  // namespace skua
