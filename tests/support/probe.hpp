// Test helpers: wakers that count, gates that tasks wait at, objects that know how many of them live, and waiting for a
// condition with a limit instead of for a time.
#pragma once

#include <skua/core/future.hpp>
#include <skua/core/wake.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace skua::tests {

#if defined(__has_feature)
#define SKUA_TEST_FEATURE(x) __has_feature(x)
#else
#define SKUA_TEST_FEATURE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || SKUA_TEST_FEATURE(address_sanitizer)
inline constexpr bool address_sanitized = true;
#else
inline constexpr bool address_sanitized = false;
#endif
#if defined(__SANITIZE_THREAD__) || SKUA_TEST_FEATURE(thread_sanitizer)
inline constexpr bool thread_sanitized = true;
#else
inline constexpr bool thread_sanitized = false;
#endif
inline constexpr bool sanitized = address_sanitized || thread_sanitized;

/// `full` where code runs at its own speed, `reduced` under address and thread sanitizer, which are 5 to 20 times
/// slower.
template <class T>
constexpr T scaled(T full, T reduced) noexcept {
  return sanitized ? reduced : full;
}

/// `count`, times what SKUA_TEST_SCALE says: for long runs by hand.
inline std::size_t at_scale(std::size_t count) {
  const char* const scale = std::getenv("SKUA_TEST_SCALE");
  return scale == nullptr ? count : count * std::strtoull(scale, nullptr, 10);
}

/// How long a test waits for what has to happen before it says that it does not.
inline constexpr std::chrono::seconds watchdog{10};

/// Waits until `condition` holds; false if it does not within `limit`.
template <class Condition>
[[nodiscard]] bool eventually(Condition condition, std::chrono::nanoseconds limit = watchdog) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return condition();
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  return true;
}

struct WakeCounter {
  void wake() noexcept { wakes.fetch_add(1); }
  std::atomic<int> wakes{0};
};

/// A context to poll with by hand, whose wakes are counted.
class CountedContext {
 public:
  int wakes() const { return counter_->wakes.load(); }
  const Waker& waker() const { return waker_; }
  Context& get() { return context_; }
  operator Context&() { return context_; }

 private:
  std::shared_ptr<WakeCounter> counter_ = std::make_shared<WakeCounter>();
  Waker waker_ = make_waker(counter_);
  Context context_{waker_};
};

/// What tasks wait at until it is opened. Any thread.
class Gate {
 public:
  class [[nodiscard]] Wait {
   public:
    explicit Wait(Gate& gate) noexcept : gate_(gate) {}
    Poll<void> poll(Context& context) {
      const std::lock_guard lock(gate_.mutex_);
      ++gate_.polls_;
      if (gate_.open_) return ready;
      gate_.wakers_.push_back(context.waker());
      return pending;
    }

   private:
    Gate& gate_;
  };
  Wait wait() noexcept { return Wait(*this); }

  void open() {
    std::vector<Waker> wakers;
    {
      const std::lock_guard lock(mutex_);
      open_ = true;
      wakers.swap(wakers_);
    }
    for (Waker& waker : wakers) std::move(waker).wake();
  }
  void close() {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }
  /// Wakes those who wait without letting them through.
  void rattle() {
    std::vector<Waker> wakers;
    {
      const std::lock_guard lock(mutex_);
      wakers.swap(wakers_);
    }
    for (Waker& waker : wakers) std::move(waker).wake();
  }
  int polls() const {
    const std::lock_guard lock(mutex_);
    return polls_;
  }
  std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return wakers_.size();
  }

 private:
  mutable std::mutex mutex_;
  bool open_ = false;
  int polls_ = 0;
  std::vector<Waker> wakers_;
};

/// Counts its objects: made (copies and moves too) and destroyed.
struct Census {
  std::atomic<int> made{0};
  std::atomic<int> destroyed{0};
  int alive() const { return made.load() - destroyed.load(); }
};
class Counted {
 public:
  explicit Counted(Census& census) noexcept : census_(&census) { census_->made.fetch_add(1); }
  Counted(const Counted& other) noexcept : Counted(*other.census_) {}
  Counted& operator=(const Counted&) = delete;
  ~Counted() { census_->destroyed.fetch_add(1); }

 private:
  Census* census_;
};

/// Ready at once with its value.
template <class T>
class [[nodiscard]] ReadyWith {
 public:
  explicit ReadyWith(T value) noexcept : value_(std::move(value)) {}
  Poll<T> poll(Context&) { return std::move(value_); }

 private:
  T value_;
};

/// Polls `future` on this thread, which sleeps meanwhile; nothing if it is not ready in time. (std::monostate for
/// void.)
template <class F>
auto await_within(F& future, std::chrono::nanoseconds limit = watchdog) {
  using Value = std::conditional_t<std::is_void_v<Output<F>>, std::monostate, Output<F>>;
  struct Sleeper {
    void wake() noexcept {
      const std::lock_guard lock(mutex);
      woken = true;
      condition.notify_one();
    }
    std::mutex mutex;
    std::condition_variable condition;
    bool woken = false;
  };
  const auto sleeper = std::make_shared<Sleeper>();
  const Waker waker = make_waker(sleeper);
  Context context(waker);
  const auto end = std::chrono::steady_clock::now() + limit;
  for (;;) {
    if (auto result = future.poll(context); result.is_ready()) {
      if constexpr (std::is_void_v<Output<F>>) {
        return std::optional<Value>(std::in_place);
      } else {
        return std::optional<Value>(std::move(result).take());
      }
    }
    std::unique_lock lock(sleeper->mutex);
    if (!sleeper->condition.wait_until(lock, end, [&] { return sleeper->woken; })) return std::optional<Value>();
    sleeper->woken = false;
  }
}

inline std::size_t entries_of(const char* folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}
/// Descriptors that this process has open.
inline std::size_t open_descriptors() { return entries_of("/proc/self/fd") - 1; }
inline std::size_t running_threads() { return entries_of("/proc/self/task"); }

}  // namespace skua::tests
