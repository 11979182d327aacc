// watch: a value that one part of a program changes and others follow; who looks sees the latest, not each.
//
//   auto [sender, receiver] = watch<Settings>(initial);
//   sender.send(changed);
//   while (co_await receiver.changed()) apply(*receiver.latest());
//
// A value is immutable once sent and is shared: latest() gives a pointer to it, which stays good. Any number of
// receivers (copy them), each of which remembers what it has seen.
// Cancel safety: a dropped changed() has seen nothing.
// Thread safety: the sender from any thread; each receiver belongs to one at a time. Any executor. One allocation a
// value.
#pragma once

#include <skua/core/mutex.hpp>
#include <skua/core/result.hpp>
#include <skua/sync/sync_error.hpp>
#include <skua/sync/wait_until.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace skua {

namespace sync {

template <class T>
class WatchState {
 public:
  explicit WatchState(T value) : value_(std::make_shared<const T>(std::move(value))) {}

  struct Seen {
    std::shared_ptr<const T> value;
    std::uint64_t version;
    bool is_closed;
  };
  Seen latest() {
    const seam::Lock lock(mutex_);
    return {value_, version_, is_closed_};
  }
  /// Returns the value before, to be dropped by the caller.
  std::shared_ptr<const T> replace(std::shared_ptr<const T> value) {
    {
      const seam::Lock lock(mutex_);
      value_.swap(value);
      ++version_;
    }
    changed.notify_waiters();
    return value;
  }
  void close() {
    {
      const seam::Lock lock(mutex_);
      is_closed_ = true;
    }
    changed.notify_waiters();
  }

  Notify changed;

 private:
  seam::Mutex mutex_;
  std::shared_ptr<const T> value_ SKUA_GUARDED_BY(mutex_);
  std::uint64_t version_ SKUA_GUARDED_BY(mutex_) = 0;
  bool is_closed_ SKUA_GUARDED_BY(mutex_) = false;
};

}  // namespace sync

template <class T>
class WatchReceiver {
 public:
  /// Has seen version `seen`.
  WatchReceiver(std::shared_ptr<sync::WatchState<T>> state, std::uint64_t seen) noexcept
      : state_(std::move(state)), seen_(seen) {}

  /// The value now; it counts as seen.
  std::shared_ptr<const T> latest() {
    auto now = state_->latest();
    seen_ = now.version;
    return std::move(now.value);
  }
  /// Whether there is one that this receiver has not seen.
  bool has_changed() const { return state_->latest().version != seen_; }
  bool is_closed() const { return state_->latest().is_closed; }

  /// A future of Result<void>, ready when there is a value that this receiver has not seen; it counts as seen then.
  /// Error: SyncError::closed, the sender has gone and everything is seen.
  auto changed() noexcept {
    return sync::WaitUntil(state_->changed, [this]() -> std::optional<Result<void>> {
      const auto now = state_->latest();
      if (now.version != std::exchange(seen_, now.version)) return Result<void>();
      if (now.is_closed) return Result<void>(Error(SyncError::closed, "changed"));
      return std::nullopt;
    });
  }
  /// A future of Result<std::shared_ptr<const T>>: the first value, the present one included, for which
  /// `accept(value)`. Values may pass unseen. Error: SyncError::closed.
  template <class Accept>
  auto wait_for(Accept accept) noexcept {
    return sync::WaitUntil(
        state_->changed,
        [this, accept = std::move(accept)]() mutable -> std::optional<Result<std::shared_ptr<const T>>> {
          auto now = state_->latest();
          seen_ = now.version;
          if (accept(*now.value)) return Result<std::shared_ptr<const T>>(std::move(now.value));
          if (now.is_closed) return Result<std::shared_ptr<const T>>(Error(SyncError::closed, "wait_for"));
          return std::nullopt;
        });
  }

 private:
  std::shared_ptr<sync::WatchState<T>> state_;
  std::uint64_t seen_;
};

/// Move-only. When it goes the receivers are told.
template <class T>
class WatchSender {
 public:
  explicit WatchSender(std::shared_ptr<sync::WatchState<T>> state) noexcept : state_(std::move(state)) {}
  WatchSender(WatchSender&&) noexcept = default;
  WatchSender& operator=(WatchSender&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~WatchSender() {
    if (state_) state_->close();
  }

  void send(T value) { const auto old = state_->replace(std::make_shared<const T>(std::move(value))); }
  /// A copy, changed by `change(T&)`, takes its place. For one sending thread at a time.
  template <class Change>
  void send_modified(Change change) {
    T value = *latest();
    change(value);
    send(std::move(value));
  }
  std::shared_ptr<const T> latest() const { return state_->latest().value; }
  /// A receiver that has seen the present value.
  WatchReceiver<T> subscribe() const { return WatchReceiver<T>(state_, state_->latest().version); }

 private:
  std::shared_ptr<sync::WatchState<T>> state_;
};

template <class T>
std::pair<WatchSender<T>, WatchReceiver<T>> watch(T initial) {
  auto state = std::make_shared<sync::WatchState<T>>(std::move(initial));
  return {WatchSender<T>(state), WatchReceiver<T>(state, 0)};
}

}  // namespace skua
