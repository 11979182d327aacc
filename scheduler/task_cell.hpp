// Task cells: header, future and output of a spawned future in one allocation.
//
//   CoroutineCell<T>   a Task<T>: the header goes into the room that every frame has in front (frame_allocator.hpp).
//                      When the coroutine has ended its frame is destroyed, and the output moves to where it stood.
//   FutureCell<F>      any other future: header, then a union of future and output.
#pragma once

#include <skua/core/frame_allocator.hpp>
#include <skua/core/task.hpp>
#include <skua/scheduler/join_error.hpp>
#include <skua/scheduler/task_header.hpp>

#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace skua::scheduler {

/// Runs `body`, which returns the output's value, and turns what it throws into a JoinError.
template <class T, class Body>
JoinResult<T> capture_output(Body body) noexcept {
  try {
    if constexpr (std::is_void_v<T>) {
      body();
      return {};
    } else {
      return body();
    }
  } catch (...) {
    return JoinError(std::current_exception());
  }
}

/// Moves `output` to a joiner's std::optional and destroys it.
template <class T>
void hand_output(JoinResult<T>& output, void* destination) noexcept {
  static_cast<std::optional<JoinResult<T>>*>(destination)->emplace(std::move(output));
  std::destroy_at(&output);
}

template <class T>
struct CoroutineCell : TaskHeader {
  /// Turns `task` into a task of the scheduler, whose header this makes. No allocation.
  static TaskHeader* create(Task<T> task, std::source_location spawn_site) noexcept {
    const auto coroutine = task.release();
    // A task that has been polled before, as a branch of a select() for example, goes on where it waits.
    if (!coroutine.promise().has_started()) Chain::begin(coroutine, coroutine.promise());
    return ::new (static_cast<std::byte*>(coroutine.address()) - frames::prefix_size) CoroutineCell(spawn_site);
  }

 private:
  using Handle = typename Task<T>::Handle;
  using Outcome = JoinResult<T>;
  static_assert(sizeof(Outcome) <= sizeof(typename Task<T>::promise_type) + 2 * sizeof(void*),
                "the output fits where the frame stood");

  explicit CoroutineCell(std::source_location spawn_site) noexcept : TaskHeader(&functions, spawn_site) {}

  static CoroutineCell& of(TaskHeader* task) noexcept { return *static_cast<CoroutineCell*>(task); }
  void* frame() noexcept { return reinterpret_cast<std::byte*>(this) + frames::prefix_size; }
  // Of the frame, once it is destroyed: in the end of its prefix, where its chain was.
  std::size_t& frame_size() noexcept { return *std::launder(static_cast<std::size_t*>(frame()) - 1); }
  Outcome& output() noexcept { return *std::launder(static_cast<Outcome*>(frame())); }

  void end_with(Outcome outcome) noexcept {
    ::new (static_cast<std::size_t*>(frame()) - 1)
        std::size_t(frames::destroy_keeping_memory(Handle::from_address(frame())));
    ::new (frame()) Outcome(std::move(outcome));
  }

  static bool poll(TaskHeader* task, Context& context) noexcept {
    const auto coroutine = Handle::from_address(of(task).frame());
    Chain::of(coroutine).advance(context);
    if (!coroutine.promise().has_finished()) return false;
    of(task).end_with(capture_output<T>([&] { return coroutine.promise().take(); }));
    return true;
  }

  static constexpr TaskVtable functions{
      .poll = &poll,
      .cancel = [](TaskHeader* task) noexcept { of(task).end_with(JoinError::cancelled()); },
      .take_output = [](TaskHeader* task, void* to) noexcept { hand_output<T>(of(task).output(), to); },
      .drop_output = [](TaskHeader* task) noexcept { std::destroy_at(&of(task).output()); },
      .deallocate =
          [](TaskHeader* task) noexcept {
            CoroutineCell& cell = of(task);
            const std::size_t size = cell.frame_size();
            void* const frame = cell.frame();
            std::destroy_at(&cell);
            frames::deallocate_frame(frame, size);
          },
      .waits_at =
          [](TaskHeader* task) noexcept {
            const ChainLink::Handle innermost = Chain::of(Handle::from_address(of(task).frame())).innermost();
            return innermost ? innermost.promise().awaiting_at() : std::source_location();
          },
      .blocks = false,
  };
};

/// Specialized for the future that spawn_blocking() makes of a function.
template <class F>
inline constexpr bool is_blocking_call = false;

template <class F>
struct FutureCell : TaskHeader {
  static TaskHeader* create(F future, std::source_location spawn_site) {
    void* memory = frames::allocate(sizeof(FutureCell));
    return ::new (memory) FutureCell(std::move(future), spawn_site);
  }

 private:
  using T = Output<F>;
  using Outcome = JoinResult<T>;
  static_assert(std::is_nothrow_move_constructible_v<F>, "a future that is spawned moves without throwing");
  static_assert(alignof(F) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__ && alignof(Outcome) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);

  union {
    F future_;
    Outcome output_;
  };

  FutureCell(F&& future, std::source_location spawn_site) noexcept
      : TaskHeader(&functions, spawn_site), future_(std::move(future)) {}
  ~FutureCell() {}  // future or output have been destroyed

  static FutureCell& of(TaskHeader* task) noexcept { return *static_cast<FutureCell*>(task); }

  void end_with(Outcome outcome) noexcept {
    std::destroy_at(&future_);
    ::new (&output_) Outcome(std::move(outcome));
  }

  static bool poll(TaskHeader* task, Context& context) noexcept {
    try {
      auto result = of(task).future_.poll(context);
      if (result.is_pending()) return false;
      of(task).end_with(capture_output<T>([&] { return std::move(result).take(); }));
    } catch (...) {
      of(task).end_with(JoinError(std::current_exception()));
    }
    return true;
  }

  static constexpr TaskVtable functions{
      .poll = &poll,
      .cancel = [](TaskHeader* task) noexcept { of(task).end_with(JoinError::cancelled()); },
      .take_output = [](TaskHeader* task, void* to) noexcept { hand_output<T>(of(task).output_, to); },
      .drop_output = [](TaskHeader* task) noexcept { std::destroy_at(&of(task).output_); },
      .deallocate =
          [](TaskHeader* task) noexcept {
            of(task).~FutureCell();
            frames::deallocate(task, sizeof(FutureCell));
          },
      .waits_at = [](TaskHeader*) noexcept { return std::source_location(); },
      .blocks = is_blocking_call<F>,
  };
};

template <class T>
constexpr void check_header_room() noexcept {
  static_assert(sizeof(CoroutineCell<T>) <= frames::scheduler_room, "the header fits in front of the frame");
}

/// A task, not yet bound to a scheduler, of `future`.
template <Future F>
TaskHeader* make_task(F future, std::source_location spawn_site) {
  if constexpr (is_task<F>) {
    check_header_room<Output<F>>();
    return CoroutineCell<Output<F>>::create(std::move(future), spawn_site);
  } else {
    return FutureCell<F>::create(std::move(future), spawn_site);
  }
}

}  // namespace skua::scheduler
