// DelayQueue: values that come out when their time has come.
//
//   DelayQueue<Session> idle(10'000);
//   DelayKey key = (co_await try_(idle.insert(session, Clock::now() + 5min)));
//   idle.reset(key, Clock::now() + 5min);                       // it has been used
//   while (auto expired = co_await idle.next()) ...             // none: the queue is empty
//
// For many deadlines of one task: connections that have been idle, entries of a cache, things to be tried again. A
// thousand entries cost one timer, and no task: insertion, removal and moving are O(log n) in the memory of the queue
// and seldom touch the timer, which is set to the first of them.
//
// It is also a Stream, of `Expired<T>`.
//
// Memory: each entry takes sizeof(std::optional<T>) and 32 bytes, vectors may hold twice as many; it grows to the most
// that there were at once, `capacity` at most, and is kept until the queue goes.
//
// Thread safety: none; a queue belongs to one task. Dropped, the values are destroyed.
#pragma once

#include <skua/core/budget.hpp>
#include <skua/core/future.hpp>
#include <skua/core/result.hpp>
#include <skua/time/delay_heap.hpp>
#include <skua/time/sleep.hpp>

#include <cstddef>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace skua {

/// What comes out of a DelayQueue.
template <class T>
struct Expired {
  Expired(T item, Instant due) noexcept : value(std::move(item)), deadline(due) {}
  T value;
  Instant deadline;  // it was due then: in the past
};

template <class T>
class DelayQueue {
 public:
  /// At most `capacity` values at once.
  explicit DelayQueue(std::size_t capacity) noexcept : capacity_(capacity) {}
  /// Not while next() is awaited, and only before the first poll of one.
  DelayQueue(DelayQueue&&) noexcept = default;

  std::size_t size() const noexcept { return heap_.size(); }
  bool is_empty() const noexcept { return size() == 0; }
  std::size_t capacity() const noexcept { return capacity_; }

  /// `value` comes out at `deadline`; at once if that has passed. Error: no_buffer_space when the queue is full;
  /// `value` has not been moved from then.
  template <class U = T>
  [[nodiscard]] Result<DelayKey> insert(U&& value, Instant deadline) {
    if (size() >= capacity_) return Error(std::errc::no_buffer_space, "insert into a DelayQueue");
    const DelayKey key = heap_.insert(deadline);
    try {
      values_.resize(heap_.slots());
      values_[key.slot_].emplace(std::forward<U>(value));
    } catch (...) {
      heap_.erase(key);
      throw;
    }
    set_timer();
    return key;
  }

  /// Takes the value out before its time. None: it has come out.
  std::optional<T> remove(DelayKey key) {
    if (!heap_.contains(key)) return std::nullopt;
    std::optional<T> value = take(key);
    set_timer();
    return value;
  }

  /// From now on the value is due at `deadline`. False: it has come out.
  bool reset(DelayKey key, Instant deadline) {
    if (!heap_.contains(key)) return false;
    heap_.move(key, deadline);
    set_timer();
    return true;
  }

  /// The value, in its place; null if it has come out.
  T* find(DelayKey key) noexcept { return heap_.contains(key) ? &*values_[key.slot_] : nullptr; }
  std::optional<Instant> deadline(DelayKey key) const noexcept {
    return heap_.contains(key) ? std::optional(heap_.deadline(key)) : std::nullopt;
  }
  /// Which comes out next; none if the queue is empty.
  std::optional<DelayKey> peek() const noexcept { return is_empty() ? std::nullopt : std::optional(heap_.first()); }

  /// Destroys all values.
  void clear() {
    std::vector<std::optional<T>> values(heap_.slots());
    values.swap(values_);  // destroyed when the queue is whole
    heap_.clear();
    set_timer();
  }

  class [[nodiscard]] Next {
   public:
    explicit Next(DelayQueue& queue) noexcept : queue_(queue) {}
    Poll<std::optional<Expired<T>>> poll(Context& context) { return queue_.poll_next(context); }

   private:
    DelayQueue& queue_;
  };
  /// Ready with the first value when it is due, in the order of deadlines, equal ones in that of insertion; with none
  /// as soon as the queue is empty (in a loop: `select(when(!queue.is_empty(), queue.next()), ...)`). It follows what
  /// is inserted, removed and moved meanwhile. Once its runtime has been shut down nothing is waited for. On a worker
  /// or inside block_on(). Cancel safety: no value is lost; it leaves the queue when next() is ready with it.
  Next next() noexcept { return Next(*this); }

  Poll<std::optional<Expired<T>>> poll_next(Context& context) {
    if (!budget::take(context)) return pending;
    if (is_empty()) return std::optional<Expired<T>>();
    const Instant due = heap_.first_deadline();
    if (due > Clock::now()) {
      timer_.reset(due);
      if (timer_.poll_without_budget(context).is_pending()) {
        budget::give_back();
        return pending;
      }
    }
    return std::optional(Expired<T>(*take(heap_.first()), due));
  }

 private:
  std::optional<T> take(DelayKey key) {
    std::optional<T> value = std::move(values_[key.slot_]);
    values_[key.slot_].reset();
    heap_.erase(key);
    return value;
  }

  // For a next() that waits: the first may be another one now, or there is none left.
  void set_timer() { timer_.reset(is_empty() ? Instant::min() : heap_.first_deadline()); }

  const std::size_t capacity_;
  DelayHeap heap_;
  std::vector<std::optional<T>> values_;  // by slot
  Sleep timer_{Instant::max()};
};

}  // namespace skua
