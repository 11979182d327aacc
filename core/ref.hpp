// Shared ownership with the count inside the object: one allocation, one pointer, no separate control block.
#pragma once

#include <skua/core/assert.hpp>
#include <skua/core/atomic.hpp>

#include <concepts>
#include <cstddef>
#include <utility>

namespace skua {

/// Base of objects held by Ref. Starts with one owner. Any thread may add or drop an owner.
template <class Derived>
class RefCounted {
 public:
  // relaxed: whoever adds an owner already has one, which keeps the object alive
  void add_ref() noexcept { owners_.fetch_add(1, std::memory_order_relaxed); }

  void drop_ref() noexcept {
    // [RC1] acq_rel, pairs with itself: the last owner sees what all the others wrote before they let go.
    if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete static_cast<Derived*>(this);
  }

  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

 protected:
  RefCounted() = default;
  ~RefCounted() = default;

 private:
  seam::Atomic<std::uint32_t> owners_{1};
};

/// Owns one count of a RefCounted object, or nothing.
template <class T>
class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) noexcept {}
  /// Takes over a count that the caller had.
  static Ref adopt(T* object) noexcept { return Ref(object); }
  /// Adds a count of its own.
  static Ref share(T* object) noexcept {
    if (object != nullptr) object->add_ref();
    return Ref(object);
  }

  Ref(const Ref& other) noexcept : Ref(share(other.object_)) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  template <class U>
    requires std::convertible_to<U*, T*>
  Ref(Ref<U> other) noexcept : object_(other.release()) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_ != nullptr) object_->drop_ref();
  }

  T* get() const noexcept { return object_; }
  /// Gives the count up to the caller.
  [[nodiscard]] T* release() noexcept { return std::exchange(object_, nullptr); }
  T* operator->() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }

 private:
  explicit Ref(T* object) noexcept : object_(object) {}
  T* object_ = nullptr;
};

template <class T, class... Args>
Ref<T> make_ref(Args&&... args) {
  return Ref<T>::adopt(new T(std::forward<Args>(args)...));
}

}  // namespace skua
