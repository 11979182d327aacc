// JoinSet<T>: tasks that are waited for together, in the order in which they end.
//
//   JoinSet<Page> fetches;
//   for (const Url& url : urls) fetches.spawn(fetch(url));
//   while (auto page = co_await fetches.join_next()) use(std::move(*page));
//
// Each completion costs O(1), however many tasks there are (wake_set.hpp). Dropping the set aborts all of its tasks;
// it does not wait for them (shutdown() does, and Scope). Outputs of tasks that ended are kept until they are taken.
// Thread safety: as a value: one thread at a time.
#pragma once

#include <skua/core/budget.hpp>
#include <skua/scheduler/join_handle.hpp>
#include <skua/spawn.hpp>
#include <skua/task/wake_set.hpp>

#include <concepts>
#include <functional>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

namespace skua {

/// What a JoinSet, a JoinMap and a Scope have in common: entries that each hold a JoinHandle, in a member `handle`.
template <class T, class Member>
class JoinEntries {
 public:
  using Entry = typename WakeSet<Member>::Entry;

  std::size_t size() const noexcept { return set_.size(); }

  /// Adds a task. Those that end from now on come after it if it has ended already.
  Entry& insert(Member member) {
    Entry& entry = set_.insert(std::move(member));
    const Waker waker = entry.waker();
    Context context(waker);
    if (entry.value().handle.poll_finished(context)) entry.wake();
    return entry;
  }
  /// One that has ended, in the order of their ends; null: none, `waker` is woken when there is.
  Entry* pop_finished(const Waker& waker) noexcept {
    for (;;) {
      Entry* const entry = set_.pop_woken(waker);
      if (entry == nullptr || entry->value().handle.is_finished()) return entry;
    }
  }
  Entry* try_pop_finished() noexcept {
    for (;;) {
      Entry* const entry = set_.try_pop_woken();
      if (entry == nullptr || entry->value().handle.is_finished()) return entry;
    }
  }
  Member take(Entry& entry) { return set_.take(entry); }

  template <class Visit>
  void for_each(Visit visit) {
    set_.for_each(visit);
  }
  void abort_all() noexcept {
    set_.for_each([](Member& member) { member.handle.abort(); });
  }
  /// Lets go of all: they run on by themselves.
  void clear() { set_ = WakeSet<Member>(); }

 private:
  WakeSet<Member> set_;
};

template <class T>
class JoinSet {
 public:
  JoinSet() = default;
  JoinSet(JoinSet&&) noexcept = default;
  JoinSet& operator=(JoinSet&& other) noexcept {
    JoinSet dropped(std::move(other));
    std::swap(entries_, dropped.entries_);
    return *this;
  }
  ~JoinSet() { abort_all(); }

  /// skua::spawn(), and the task is in the set. On a worker, or inside block_on(); for another runtime there is
  /// insert(handle.spawn(...)).
  template <Future F>
    requires std::same_as<Output<F>, T>
  AbortHandle spawn(F future, std::source_location at = std::source_location::current()) {
    return insert(skua::spawn(std::move(future), at));
  }
  /// The future that `fn(args...)` returns; the callable lives in the task.
  template <class Fn, class... Args>
    requires(!Future<Fn>) && std::invocable<std::decay_t<Fn>&, std::decay_t<Args>&&...>
  AbortHandle spawn(Fn&& fn, Args&&... args) {
    return insert(skua::spawn(std::forward<Fn>(fn), std::forward<Args>(args)...));
  }
  template <Future F>
    requires std::same_as<Output<F>, T>
  AbortHandle spawn_named(std::string name, F future, std::source_location at = std::source_location::current()) {
    return insert(skua::spawn_named(std::move(name), std::move(future), at));
  }
  /// Adds a task that was spawned before and has not been joined.
  AbortHandle insert(JoinHandle<T> handle) {
    AbortHandle abort = handle.abort_handle();
    entries_.insert(Member{std::move(handle)});
    return abort;
  }

  /// Tasks whose outputs have not been taken.
  std::size_t len() const noexcept { return entries_.size(); }
  bool is_empty() const noexcept { return len() == 0; }

  /// A future of the output of the task that ended first of those not yet taken, with the task's id; nothing once the
  /// set is empty. Borrows the set. An aborted task has its turn too, with a cancelled JoinError.
  class [[nodiscard]] JoinNextWithId {
   public:
    explicit JoinNextWithId(JoinSet& set) noexcept : set_(set) {}
    Poll<std::optional<std::pair<TaskId, JoinResult<T>>>> poll(Context& context) {
      using Next = std::optional<std::pair<TaskId, JoinResult<T>>>;
      if (set_.is_empty()) return Next();
      if (!budget::take(context)) return pending;
      if (Entry* const entry = set_.entries_.pop_finished(context.waker())) return Next(set_.take(*entry));
      budget::give_back();
      return pending;
    }

   private:
    JoinSet& set_;
  };
  /// The same without the id.
  class [[nodiscard]] JoinNext {
   public:
    explicit JoinNext(JoinSet& set) noexcept : next_(set) {}
    Poll<std::optional<JoinResult<T>>> poll(Context& context) {
      using Next = std::optional<JoinResult<T>>;
      auto next = next_.poll(context);
      if (next.is_pending()) return pending;
      if (!next.value()) return Next();
      return Next(std::move(next.value()->second));
    }

   private:
    JoinNextWithId next_;
  };

  /// Cancel safety: nothing is lost: an output leaves the set only when the future is ready with it.
  JoinNext join_next() noexcept { return JoinNext(*this); }
  JoinNextWithId join_next_with_id() noexcept { return JoinNextWithId(*this); }

  /// The output of a task that has ended; nothing if there is none now.
  std::optional<JoinResult<T>> try_join_next() {
    Entry* const entry = entries_.try_pop_finished();
    if (entry == nullptr) return std::nullopt;
    return take(*entry).second;
  }

  /// Asks for the end of all tasks, as JoinHandle::abort(). They stay in the set until they are joined.
  void abort_all() noexcept { entries_.abort_all(); }

  /// Lets all tasks run on by themselves; the set is empty.
  void detach_all() { entries_.clear(); }

  /// abort_all(), and a future that is ready when all tasks have ended and their outputs, whatever they are, have been
  /// dropped. Borrows the set. Cancel safety: the tasks are aborted; those that have not ended stay in the set.
  class [[nodiscard]] Shutdown {
   public:
    explicit Shutdown(JoinSet& set) noexcept : set_(set) {}
    Poll<void> poll(Context& context) {
      for (;;) {
        auto next = set_.join_next().poll(context);
        if (next.is_pending()) return pending;
        if (!next.value()) return ready;
      }
    }

   private:
    JoinSet& set_;
  };
  Shutdown shutdown() noexcept {
    abort_all();
    return Shutdown(*this);
  }

 private:
  struct Member {
    JoinHandle<T> handle;
  };
  using Entry = typename JoinEntries<T, Member>::Entry;

  std::pair<TaskId, JoinResult<T>> take(Entry& entry) {
    Member member = entries_.take(entry);
    const TaskId id = member.handle.id();
    return {id, member.handle.take_output()};
  }

  JoinEntries<T, Member> entries_;
};

}  // namespace skua
