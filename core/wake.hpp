// make_waker(): a Waker from any shared object that has a wake() member.
//
// The waker owns the object. `wake()` is called on whatever thread wakes, possibly on several at once.
#pragma once

#include <skua/core/ref.hpp>
#include <skua/core/waker.hpp>

#include <concepts>
#include <memory>
#include <utility>

namespace skua {

template <class T>
concept Wakeable = requires(T& object) {
  { object.wake() } noexcept;
};

namespace wake_adapter {

// A std::shared_ptr is two words, a waker's data one: this node holds the pointer, shared by all clones.
template <class T>
struct SharedNode : RefCounted<SharedNode<T>> {
  explicit SharedNode(std::shared_ptr<T> shared) noexcept : object(std::move(shared)) {}
  void wake() noexcept { object->wake(); }
  const std::shared_ptr<T> object;
};

template <class T>
inline constexpr WakerVtable vtable{
    .clone = [](void* data) { static_cast<T*>(data)->add_ref(); },
    .wake =
        [](void* data) {
          const auto owner = Ref<T>::adopt(static_cast<T*>(data));
          owner->wake();
        },
    .wake_by_ref = [](void* data) { static_cast<T*>(data)->wake(); },
    .drop = [](void* data) { static_cast<T*>(data)->drop_ref(); },
};

}  // namespace wake_adapter

/// A waker that calls `object->wake()`. One allocation; its clones make none.
template <Wakeable T>
Waker make_waker(std::shared_ptr<T> object) {
  using Node = wake_adapter::SharedNode<T>;
  return {new Node(std::move(object)), &wake_adapter::vtable<Node>};
}

/// A waker that calls `object->wake()` on an object that counts its owners itself. No allocation.
template <Wakeable T>
  requires requires(T& object) { object.add_ref(), object.drop_ref(); }
Waker make_waker(const Ref<T>& object) noexcept {
  object->add_ref();
  return {object.get(), &wake_adapter::vtable<T>};
}

}  // namespace skua
