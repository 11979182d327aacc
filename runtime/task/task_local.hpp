// TaskLocal<T>: a value that belongs to a task, as a thread_local belongs to a thread; bound for the time of a future.
//
//   const TaskLocal<RequestId, Inherit::yes> request_id;         // at namespace scope: its address is the key
//   co_await request_id.scope(RequestId(7), handle_request());   // and in there, at any depth:
//   log(*request_id.get());
//
// Inherit::no: for the future alone that it is bound around; a task that is spawned in there does not see it. The
// value lies in the future, so binding allocates nothing.
// Inherit::yes: also for the tasks that are spawned in there, and their children, as long as they run: the value is
// shared by all of them, perhaps on several threads at once, so it is const.
//
// Binding again inside shadows the outer value. The value is in force while the future is polled and while it is
// destroyed, on whatever thread; under any executor.
#pragma once

#include <skua/core/future.hpp>
#include <skua/scheduler/current_task.hpp>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace skua {

enum class Inherit : bool { no, yes };

template <class T, Inherit inherit = Inherit::no>
class TaskLocal;

/// A value that lies here, in force for the future alone.
template <class T>
class LocalValue {
 public:
  LocalValue(const void* key, T value) : key_(key), value_(std::move(value)) {}

  /// Runs `body` with the value in force.
  template <class Body>
  decltype(auto) enter(Body body) {
    scheduler::CurrentState state = scheduler::current_state();
    const scheduler::LocalBinding binding{key_, &value_, state.bindings};
    state.bindings = &binding;
    const scheduler::StateScope scope(state);
    return body();
  }

 private:
  const void* key_;
  T value_;
};

/// A value that is shared with the tasks that are spawned.
template <class T>
class InheritedValue {
 public:
  InheritedValue(const void* key, T value) : key_(key), value_(std::make_shared<T>(std::move(value))) {}

  template <class Body>
  decltype(auto) enter(Body body) {
    scheduler::CurrentState state = scheduler::current_state();
    // Outside there is the same at each poll, unless the future was moved to another task.
    if (!bound_ || outside_.get() != state.inherited) {
      outside_ = Ref<scheduler::InheritedLocals>::share(state.inherited);
      bound_ = scheduler::InheritedLocals::bind(state.inherited, key_, value_);
    }
    state.inherited = bound_.get();
    const scheduler::StateScope scope(state);
    return body();
  }

 private:
  const void* key_;
  std::shared_ptr<T> value_;
  Ref<scheduler::InheritedLocals> outside_;
  Ref<scheduler::InheritedLocals> bound_;  // `outside_` and this value
};

/// What TaskLocal::scope() returns: a future, and the value that is in force while it is polled or destroyed.
template <class Value, class F>
class [[nodiscard]] LocalScope {
 public:
  LocalScope(Value value, F&& future) : value_(std::move(value)), future_(std::in_place, std::forward<F>(future)) {}
  /// Only before the first poll, as with every future.
  LocalScope(LocalScope&& other) noexcept
      : value_(std::move(other.value_)), future_(std::exchange(other.future_, std::nullopt)) {}
  ~LocalScope() {
    if (future_) value_.enter([this] { future_.reset(); });
  }
  Poll<Output<F>> poll(Context& context) {
    return value_.enter([&] { return future_->future.poll(context); });
  }

 private:
  // An optional cannot hold a reference.
  struct Held {
    explicit Held(F&& given) : future(std::forward<F>(given)) {}
    F future;
  };

  Value value_;
  std::optional<Held> future_;
};

template <class T>
class TaskLocal<T, Inherit::no> {
 public:
  constexpr TaskLocal() = default;
  TaskLocal(const TaskLocal&) = delete;
  TaskLocal& operator=(const TaskLocal&) = delete;

  /// `future` with the value bound to `value`. A future given as an lvalue is borrowed, and not bound when it is
  /// destroyed. Cancel safety: that of the future.
  template <class F>
    requires Future<std::remove_reference_t<F>>
  LocalScope<LocalValue<T>, F> scope(T value, F&& future) const {
    return LocalScope<LocalValue<T>, F>(LocalValue<T>(this, std::move(value)), std::forward<F>(future));
  }
  /// The value that is bound here, or null. The pointer is good until the next co_await.
  T* get() const noexcept {
    const scheduler::LocalBinding* binding = scheduler::current_state().bindings;
    while (binding != nullptr && binding->key != this) binding = binding->outer;
    return binding == nullptr ? nullptr : static_cast<T*>(binding->value);
  }
};

template <class T>
class TaskLocal<T, Inherit::yes> {
 public:
  constexpr TaskLocal() = default;
  TaskLocal(const TaskLocal&) = delete;
  TaskLocal& operator=(const TaskLocal&) = delete;

  template <class F>
    requires Future<std::remove_reference_t<F>>
  LocalScope<InheritedValue<T>, F> scope(T value, F&& future) const {
    return LocalScope<InheritedValue<T>, F>(InheritedValue<T>(this, std::move(value)), std::forward<F>(future));
  }
  const T* get() const noexcept {
    const scheduler::InheritedLocals* const locals = scheduler::current_state().inherited;
    return locals == nullptr ? nullptr : static_cast<const T*>(locals->find(this));
  }
};

}  // namespace skua
