// AnyFuture<T>: a future of T, whatever its type: for containers of different ones, members, and plain interfaces.
//
//   std::vector<AnyFuture<Result<Page>>> sources;
//   sources.push_back(from_cache(url));          // a Task<Result<Page>>
//   sources.push_back(timeout(1s, fetch(url)));  // a Timeout<...>
//
// Two words. A Task is taken over as it is, without an allocation: its frame is one already. Any other future is moved
// into an allocation of its own. (A buffer inside the object would save that for small futures, and cost every
// AnyFuture its size and each move an indirect call.)
//
// Ownership: it owns the future, which stays where it is: an AnyFuture may be moved at any time, also between polls.
// Dropping it drops the future, as does the poll that finds it ready. Threads: as the future. Cancel safety: that of
// the future.
#pragma once

#include <skua/core/assert.hpp>
#include <skua/core/future.hpp>
#include <skua/core/task.hpp>

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace skua {

template <class T>
class [[nodiscard]] AnyFuture {
 public:
  template <Future F>
    requires(!std::same_as<F, AnyFuture> && std::same_as<Output<F>, T> && !std::is_reference_v<F>)
  AnyFuture(F future) : vtable_(&vtable<F>) {
    if constexpr (is_task<F>) {
      object_ = future.release().address();
    } else {
      object_ = new F(std::move(future));
    }
  }
  AnyFuture(AnyFuture&& other) noexcept : vtable_(other.vtable_), object_(std::exchange(other.object_, nullptr)) {}
  AnyFuture& operator=(AnyFuture other) noexcept {
    std::swap(vtable_, other.vtable_);
    std::swap(object_, other.object_);
    return *this;
  }
  ~AnyFuture() {
    if (object_ != nullptr) vtable_->destroy(object_);
  }

  Poll<T> poll(Context& context) {
    SKUA_ASSERT(object_ != nullptr);
    return vtable_->poll(object_, context);
  }

 private:
  // `object` is emptied when the future is ready, or throws: it is destroyed then.
  struct Vtable {
    Poll<T> (*poll)(void*& object, Context& context);
    void (*destroy)(void* object);
  };

  // Owns what a void* stands for, for as long as it is not given back.
  template <class F>
  class Owner {
   public:
    explicit Owner(void* object) noexcept : future_(static_cast<F*>(object)) {}
    F& get() noexcept { return *future_; }
    void* release() noexcept { return future_.release(); }

   private:
    std::unique_ptr<F> future_;
  };
  template <class U>
  class Owner<Task<U>> {
   public:
    explicit Owner(void* object) noexcept : task_(Task<U>::Handle::from_address(object)) {}
    Task<U>& get() noexcept { return task_; }
    void* release() noexcept { return task_.release().address(); }

   private:
    Task<U> task_;
  };

  template <class F>
  static constexpr Vtable vtable{
      .poll = [](void*& object, Context& context) -> Poll<T> {
        Owner<F> owner(std::exchange(object, nullptr));
        Poll<T> result = owner.get().poll(context);
        if (result.is_pending()) object = owner.release();
        return result;
      },
      .destroy = [](void* object) { Owner<F> owner(object); },
  };

  const Vtable* vtable_;
  void* object_;
};

template <Future F>
AnyFuture(F) -> AnyFuture<Output<F>>;

}  // namespace skua
