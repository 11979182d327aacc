// WakeSet<T>: a set of things that are waited for, each with a waker of its own, so that who waits for the set need not
// ask all of them when one was woken: O(1) for each wake, however many there are. What JoinSet and its like are made
// of.
//
//   insert ──> Entry, in the list of all ── its waker is woken ──> in the list of the woken ── pop_woken() ──> the
//   owner
//
// Ownership: the set owns the values; an entry's memory is shared with its wakers, which may outlive the set.
// Threads: the set and its values belong to one thread at a time, as values do. Wakers are woken on any; they see the
// list of the woken alone, under its mutex.
#pragma once

#include <skua/core/context.hpp>
#include <skua/core/mutex.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/wake.hpp>

#include <optional>
#include <utility>

namespace skua {

/// What an entry is to its wakers.
struct WakeSetEntry {
  WakeSetEntry* next_woken = nullptr;  // these three are guarded by the WokenList's mutex
  WakeSetEntry* previous_woken = nullptr;
  bool is_woken = false;

  WakeSetEntry* next = nullptr;  // of the set's own list: the owner's
  WakeSetEntry* previous = nullptr;
};

/// The entries that were woken, oldest first; and who is to be told.
class WokenList : public RefCounted<WokenList> {
 public:
  /// Appends `entry` unless it is there already, and wakes who waits for the set. Any thread.
  void push(WakeSetEntry& entry) noexcept;
  /// The first; null: none yet, and `waker` will be woken once when there is one.
  WakeSetEntry* pop(const Waker& waker) noexcept;
  /// The first, or null.
  WakeSetEntry* try_pop() noexcept;
  /// Nobody waits any more.
  void forget_waker() noexcept;
  /// `entry` leaves the list if it is there.
  void remove(WakeSetEntry& entry) noexcept;

 private:
  WakeSetEntry* take_first() SKUA_REQUIRES(mutex_);
  void unlink(WakeSetEntry& entry) SKUA_REQUIRES(mutex_);

  seam::Mutex mutex_;
  WakeSetEntry* first_ SKUA_GUARDED_BY(mutex_) = nullptr;
  WakeSetEntry* last_ SKUA_GUARDED_BY(mutex_) = nullptr;
  Waker waker_ SKUA_GUARDED_BY(mutex_);
};

template <class T>
class WakeSet {
 public:
  class Entry : public WakeSetEntry, public RefCounted<Entry> {
   public:
    explicit Entry(Ref<WokenList> woken, T value) noexcept : woken_(std::move(woken)), value_(std::move(value)) {}

    T& value() noexcept { return *value_; }
    Waker waker() noexcept { return make_waker(Ref<Entry>::share(this)); }
    /// Any thread. What was removed from its set does nothing.
    void wake() noexcept { woken_->push(*this); }

   private:
    friend class WakeSet;
    Ref<WokenList> woken_;
    std::optional<T> value_;  // while it is in the set
  };

  WakeSet() : woken_(make_ref<WokenList>()) {}
  WakeSet(WakeSet&& other) noexcept { swap(other); }
  WakeSet& operator=(WakeSet&& other) noexcept {
    swap(other);
    return *this;
  }
  ~WakeSet() {
    if (!woken_) return;
    woken_->forget_waker();
    while (first_ != nullptr) static_cast<void>(take(*static_cast<Entry*>(first_)));
  }

  std::size_t size() const noexcept { return size_; }

  /// Adds `value`. It is as if it had not been woken: poll it once with its entry's waker, or call wake().
  Entry& insert(T value) {
    Entry* const entry = new Entry(woken_, std::move(value));
    entry->next = first_;
    if (first_ != nullptr) first_->previous = entry;
    first_ = entry;
    ++size_;
    return *entry;
  }

  /// Takes `entry` out, and returns its value. The reference is invalid then.
  T take(Entry& entry) {
    woken_->remove(entry);
    (entry.previous == nullptr ? first_ : entry.previous->next) = entry.next;
    if (entry.next != nullptr) entry.next->previous = entry.previous;
    --size_;
    const auto owner = Ref<Entry>::adopt(&entry);
    T value = *std::move(entry.value_);
    entry.value_.reset();
    return value;
  }

  /// An entry that was woken, oldest wake first; it is as if it had not been woken again. Null: none, and the waker of
  /// the latest call is woken when there is one.
  Entry* pop_woken(const Waker& waker) noexcept { return static_cast<Entry*>(woken_->pop(waker)); }
  /// The same without a waker.
  Entry* try_pop_woken() noexcept { return static_cast<Entry*>(woken_->try_pop()); }

  /// Any entry; null: the set is empty.
  Entry* any() noexcept { return static_cast<Entry*>(first_); }

  /// Calls `visit(T&)` for each value; it must not change the set.
  template <class Visit>
  void for_each(Visit visit) {
    for (WakeSetEntry* entry = first_; entry != nullptr; entry = entry->next)
      visit(static_cast<Entry*>(entry)->value());
  }

 private:
  void swap(WakeSet& other) noexcept {
    std::swap(woken_, other.woken_);
    std::swap(first_, other.first_);
    std::swap(size_, other.size_);
  }

  Ref<WokenList> woken_;  // null: moved from
  WakeSetEntry* first_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace skua
