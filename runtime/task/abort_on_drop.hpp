// AbortOnDrop<T>: a JoinHandle that ends its task when it is dropped, instead of detaching it.
//
//   auto heartbeat = AbortOnDrop(spawn(beat()));   // ends with this scope
#pragma once

#include <skua/scheduler/join_handle.hpp>

#include <utility>

namespace skua {

/// A future as JoinHandle is. Dropping it asks for the end of the task and does not wait for it: what the task borrows
/// must live on its own; for children that borrow there is Scope.
template <class T>
class [[nodiscard("dropping it aborts the task")]] AbortOnDrop {
 public:
  explicit AbortOnDrop(JoinHandle<T> handle) noexcept : handle_(std::move(handle)) {}
  AbortOnDrop(AbortOnDrop&& other) noexcept = default;
  AbortOnDrop& operator=(AbortOnDrop&& other) noexcept {
    AbortOnDrop dropped(std::move(other));  // the task of this one is aborted now, not when `other` dies
    std::swap(handle_, dropped.handle_);
    return *this;
  }
  ~AbortOnDrop() {
    if (handle_.is_valid()) handle_.abort();
  }

  /// As JoinHandle::poll(). Cancel safety: joined by reference in a select() nothing is lost; dropping this aborts.
  Poll<JoinResult<T>> poll(Context& context) { return handle_.poll(context); }

  void abort() noexcept { handle_.abort(); }
  bool is_finished() const noexcept { return handle_.is_finished(); }
  AbortHandle abort_handle() const noexcept { return handle_.abort_handle(); }
  TaskId id() const noexcept { return handle_.id(); }

  /// The handle, whose task is not aborted when it is dropped.
  JoinHandle<T> detach() && noexcept { return std::move(handle_); }

 private:
  JoinHandle<T> handle_;
};

}  // namespace skua
