// ConnectionLimit: so many connections and no more. Beyond, the kernel keeps new ones in the backlog.
//
// acquire() is a future written by hand: it keeps the waker of the one who waits, and a permit that ends wakes it.
// Permits end on any worker, hence the mutex; it is taken twice per connection, never per request.
#pragma once

#include <skua/skua.hpp>

#include <cstddef>
#include <mutex>
#include <utility>

namespace http {

/// One task at a time may wait for it. Must outlive its permits.
class ConnectionLimit {
 public:
  class [[nodiscard]] Permit {
   public:
    explicit Permit(ConnectionLimit& limit) noexcept : limit_(&limit) {}
    Permit(Permit&& other) noexcept : limit_(std::exchange(other.limit_, nullptr)) {}
    Permit& operator=(Permit&& other) noexcept { return std::swap(limit_, other.limit_), *this; }
    ~Permit() {
      if (limit_ != nullptr) limit_->release();
    }

   private:
    ConnectionLimit* limit_;
  };

  class [[nodiscard]] Acquire {
   public:
    explicit Acquire(ConnectionLimit& limit) noexcept : limit_(limit) {}
    skua::Poll<Permit> poll(skua::Context& context) { return limit_.poll_acquire(context); }

   private:
    ConnectionLimit& limit_;
  };

  explicit ConnectionLimit(std::size_t connections) noexcept : free_(connections) {}

  Acquire acquire() noexcept { return Acquire(*this); }

 private:
  skua::Poll<Permit> poll_acquire(skua::Context& context) {
    const std::lock_guard lock(mutex_);
    if (free_ == 0) {
      waiting_ = context.waker();
      return skua::pending;
    }
    --free_;
    return Permit(*this);
  }

  void release() noexcept {
    skua::Waker waiting;
    {
      const std::lock_guard lock(mutex_);
      ++free_;
      std::swap(waiting, waiting_);
    }
    std::move(waiting).wake();
  }

  std::mutex mutex_;
  std::size_t free_;
  skua::Waker waiting_;  // empty if nobody waits
};

}  // namespace http
