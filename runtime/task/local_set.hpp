// LocalSet: tasks that stay on one thread, for what knows no other: values without atomics, libraries bound to a
// thread.
//
//   runtime.block_on([]() -> Task<> {
//     LocalSet local;
//     co_await local.run_until(main_task());    // in there: spawn_local(other_task())
//   }());
//
// The tasks run inside the future that polls the set, one at a time, on its thread: in block_on(), which does not move.
// They may await everything that other futures may, and spawn() tasks to the workers. A set that is polled by a second
// thread ends the program: a spawned task moves between workers, so a set has no place in one.
//
// A wake costs O(1) and polls the task that was woken alone (wake_set.hpp). All share the budget of the one poll they
// are in. Dropping the set destroys its tasks, each at the await where it waits, and their joins are cancelled.
// Thread safety: none, but for the wakers that its tasks hand out.
#pragma once

#include <skua/core/budget.hpp>
#include <skua/core/future.hpp>
#include <skua/scheduler/join_error.hpp>
#include <skua/task/wake_set.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace skua {

/// What a local task and its handle share.
struct LocalEnd {
  bool is_aborted = false;
  bool has_ended = false;
  Waker task;    // polls the task
  Waker joiner;  // wants to know that it has ended
};
template <class T>
struct LocalOutput : LocalEnd {
  std::optional<JoinResult<T>> value;
};

/// A task of a LocalSet.
class LocalTask {
 public:
  LocalTask() = default;
  LocalTask(const LocalTask&) = delete;
  LocalTask& operator=(const LocalTask&) = delete;
  virtual ~LocalTask() = default;
  /// True: it has ended. The future is destroyed with this object.
  virtual bool poll(Context& context) = 0;
  virtual std::shared_ptr<LocalEnd> end() noexcept = 0;
};

template <class F>
class LocalTaskOf final : public LocalTask {
 public:
  LocalTaskOf(std::shared_ptr<LocalOutput<Output<F>>> output, F future)
      : output_(std::move(output)), future_(std::move(future)) {}

  bool poll(Context& context) override {
    try {
      auto result = future_.poll(context);
      if (result.is_pending()) return false;
      if constexpr (std::is_void_v<Output<F>>) {
        output_->value.emplace();
      } else {
        output_->value.emplace(std::move(result).take());
      }
    } catch (...) {
      output_->value.emplace(JoinError(std::current_exception()));
    }
    return true;
  }
  std::shared_ptr<LocalEnd> end() noexcept override { return output_; }

 private:
  std::shared_ptr<LocalOutput<Output<F>>> output_;
  F future_;
};

/// The output of a local task. Dropping it lets the task run on. For the set's thread.
template <class T>
class [[nodiscard("dropping the handle detaches the task: say so with std::move(handle).detach()")]] LocalJoinHandle {
 public:
  explicit LocalJoinHandle(std::shared_ptr<LocalOutput<T>> output) noexcept : output_(std::move(output)) {}

  /// Ready when the task has ended and its future is destroyed: its value, its exception, or `cancelled`. Cancel
  /// safety: nothing is lost.
  Poll<JoinResult<T>> poll(Context& context) {
    if (!output_->has_ended) {
      if (!output_->joiner.will_wake(context.waker())) output_->joiner = context.waker();
      return pending;
    }
    if (taken_) fail_fast("a LocalJoinHandle was awaited again after it had been ready", "Await it once");
    if (!budget::take(context)) return pending;
    taken_ = true;
    if (!output_->value) return JoinResult<T>(JoinError::cancelled());
    return *std::exchange(output_->value, std::nullopt);
  }

  /// The future is destroyed at the await where it waits, when the set is polled next.
  void abort() noexcept {
    if (output_->has_ended) return;
    output_->is_aborted = true;
    output_->task.wake_by_ref();
  }
  bool is_finished() const noexcept { return output_->has_ended; }
  void detach() && noexcept { output_.reset(); }

 private:
  std::shared_ptr<LocalOutput<T>> output_;
  bool taken_ = false;
};

class LocalSet {
 public:
  LocalSet() = default;
  LocalSet(const LocalSet&) = delete;
  LocalSet& operator=(const LocalSet&) = delete;
  ~LocalSet();

  /// Adds a task, to be polled when the set is.
  template <Future F>
  LocalJoinHandle<Output<F>> spawn(F future) {
    auto output = std::make_shared<LocalOutput<Output<F>>>();
    add(std::make_unique<LocalTaskOf<F>>(output, std::move(future)));
    return LocalJoinHandle<Output<F>>(std::move(output));
  }

  std::size_t len() const noexcept { return tasks_.size(); }

  /// The set is a future itself, ready when all its tasks have ended. Cancel safety: nothing is lost.
  Poll<void> poll(Context& context);

  template <class F>
  class [[nodiscard]] RunUntil {
   public:
    RunUntil(LocalSet& set, F&& future) : set_(set), future_(std::forward<F>(future)) {}
    Poll<Output<F>> poll(Context& context) {
      {
        const Entered entered(set_);
        if (auto result = future_.poll(context); result.is_ready()) return result;
      }
      static_cast<void>(set_.poll(context));
      return pending;
    }

   private:
    LocalSet& set_;
    F future_;
  };
  /// Polls the tasks of the set until `future` is ready, with its output. Those that have not ended stay in the set.
  /// Cancel safety: that of the future.
  template <class F>
    requires Future<std::remove_reference_t<F>>
  RunUntil<F> run_until(F&& future) {
    return RunUntil<F>(*this, std::forward<F>(future));
  }

  /// The set whose task, or run_until(), is polled on this thread; otherwise ends the program.
  static LocalSet& current();

 private:
  using Tasks = WakeSet<std::unique_ptr<LocalTask>>;

  /// current() is this set, as long as the object lives. Checks that the thread is the set's.
  class Entered {
   public:
    explicit Entered(LocalSet& set);
    ~Entered();
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;

   private:
    LocalSet* const before_;
  };

  void add(std::unique_ptr<LocalTask> task);
  void run(Tasks::Entry& entry);
  /// Destroys the task's future, and tells who joins it.
  void finish(Tasks::Entry& entry);

  Tasks tasks_;
  const void* thread_ = nullptr;  // that polled the set first
};

/// LocalSet::spawn() on the set that runs the caller.
template <Future F>
LocalJoinHandle<Output<F>> spawn_local(F future) {
  return LocalSet::current().spawn(std::move(future));
}

}  // namespace skua
