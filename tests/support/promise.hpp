// Futures and streams whose answers a test gives by hand, and whose polls it counts.
#pragma once

#include <skua/core/assert.hpp>
#include <skua/core/context.hpp>
#include <skua/core/poll.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <utility>

namespace skua::tests {

/// A future that is ready when its Promise is kept.
template <class T>
class Promised {
 public:
  struct State {
    std::optional<T> value;
    Waker waker;
    int polls = 0;
  };
  explicit Promised(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}

  Poll<T> poll(Context& context) {
    ++state_->polls;
    if (state_->value) return *std::move(state_->value);
    state_->waker = context.waker();
    return pending;
  }

 private:
  std::shared_ptr<typename Promised::State> state_;
};

template <class T>
class Promise {
 public:
  Promised<T> future() const { return Promised<T>(state_); }
  void keep(T value) {
    state_->value.emplace(std::move(value));
    wake();
  }
  void wake() { state_->waker.wake_by_ref(); }
  /// The waker that the future was last polled with.
  const Waker& waker() const { return state_->waker; }
  void forget_waker() { state_->waker = Waker(); }
  /// True while there is a future.
  bool is_awaited() const { return state_.use_count() > 1; }
  int polls() const { return state_->polls; }

 private:
  std::shared_ptr<typename Promised<T>::State> state_ = std::make_shared<typename Promised<T>::State>();
};

/// A stream of what is put into its Feed.
template <class T>
class Fed {
 public:
  struct State {
    std::deque<T> items;
    bool has_ended = false;
    bool was_told = false;  // that it has ended
    Waker waker;
    int polls = 0;
  };
  explicit Fed(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}

  Poll<std::optional<T>> poll_next(Context& context) {
    using Next = Poll<std::optional<T>>;
    if (state_->was_told) fail_fast("a stream was polled after its end", "See stream.hpp");
    ++state_->polls;
    if (!state_->items.empty()) {
      std::optional<T> item(std::move(state_->items.front()));
      state_->items.pop_front();
      return Next(std::move(item));
    }
    if (state_->has_ended) {
      state_->was_told = true;
      return Next(std::nullopt);
    }
    state_->waker = context.waker();
    return pending;
  }

 private:
  std::shared_ptr<typename Fed::State> state_;
};

template <class T>
class Feed {
 public:
  Fed<T> stream() const { return Fed<T>(state_); }
  template <class... Items>
  void put(Items&&... items) {
    (state_->items.push_back(std::forward<Items>(items)), ...);
    state_->waker.wake_by_ref();
  }
  void end() {
    state_->has_ended = true;
    state_->waker.wake_by_ref();
  }
  /// Items that nobody has taken.
  std::size_t left() const { return state_->items.size(); }
  bool is_read() const { return state_.use_count() > 1; }
  int polls() const { return state_->polls; }

 private:
  std::shared_ptr<typename Fed<T>::State> state_ = std::make_shared<typename Fed<T>::State>();
};

}  // namespace skua::tests
