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

#include <skua/core/ref.hpp>
#include <skua/task/woken_children.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace skua {

template <class T>
class WakeSet {
 public:
  class Entry : public WokenChild {
   public:
    Entry(Ref<WokenChildren> woken, T value) noexcept : WokenChild(std::move(woken)), value_(std::move(value)) {}

    T& value() noexcept { return *value_; }
    /// May outlive the set, and does nothing then.
    Waker waker() noexcept { return WokenChild::waker().get(); }

   private:
    friend class WakeSet;
    std::optional<T> value_;  // while it is in the set
    Entry* next_ = nullptr;   // of the set's own list
    Entry* previous_ = nullptr;
  };

  WakeSet() : woken_(make_ref<WokenChildren>()) {}
  WakeSet(WakeSet&& other) noexcept { swap(other); }
  WakeSet& operator=(WakeSet&& other) noexcept {
    swap(other);
    return *this;
  }
  ~WakeSet() {
    if (!woken_) return;
    woken_->forget_parent();
    while (first_ != nullptr) static_cast<void>(take(*first_));
  }

  std::size_t size() const noexcept { return size_; }

  /// Adds `value`. It is as if it had not been woken: poll it once with its entry's waker, or call wake().
  Entry& insert(T value) {
    auto* const entry = new Entry(woken_, std::move(value));
    entry->next_ = first_;
    if (first_ != nullptr) first_->previous_ = entry;
    first_ = entry;
    ++size_;
    return *entry;
  }

  /// Takes `entry` out, and returns its value. The reference is invalid then.
  T take(Entry& entry) {
    woken_->remove(entry);
    (entry.previous_ == nullptr ? first_ : entry.previous_->next_) = entry.next_;
    if (entry.next_ != nullptr) entry.next_->previous_ = entry.previous_;
    --size_;
    const auto owner = Ref<WokenChild>::adopt(&entry);
    T value = *std::move(entry.value_);
    entry.value_.reset();
    return value;
  }

  /// An entry that was woken, oldest wake first; it is as if it had not been woken again. Null: none, and the waker of
  /// the latest call is woken when there is one.
  Entry* pop_woken(const Waker& waker) noexcept { return static_cast<Entry*>(woken_->next_woken(waker)); }
  /// The same without a waker.
  Entry* try_pop_woken() noexcept { return static_cast<Entry*>(woken_->next_woken()); }

  /// Any entry; null: the set is empty.
  Entry* any() noexcept { return first_; }

  /// Calls `visit(T&)` for each value; it must not change the set.
  template <class Visit>
  void for_each(Visit visit) {
    for (Entry* entry = first_; entry != nullptr; entry = entry->next_) visit(entry->value());
  }

 private:
  void swap(WakeSet& other) noexcept {
    std::swap(woken_, other.woken_);
    std::swap(first_, other.first_);
    std::swap(size_, other.size_);
  }

  Ref<WokenChildren> woken_;  // null: moved from
  Entry* first_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace skua
