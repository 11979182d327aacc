// FuturesUnordered: any number of futures, polled in one task; their outputs come as they are ready.
//
//   FuturesUnordered<Task<Page>> pages;
//   for (const Url& url : urls) pages.push(fetch(url));
//   while (std::optional<Page> page = co_await next(pages)) use(*page);
//
// It is a Stream that ends when nothing is left in it, and goes on when something is pushed again. A wake polls the
// futures that were woken and no others (woken_children.hpp). One allocation for each future.
//
// Ownership: it owns the futures; one that is ready is destroyed before its output is given out. Dropping it cancels
// them. Threads: one at a time; the futures' wakers may be used on any, also when the set is gone.
#pragma once

#include <skua/core/budget.hpp>
#include <skua/core/future.hpp>
#include <skua/stream/next.hpp>
#include <skua/stream/stream.hpp>
#include <skua/task/join.hpp>
#include <skua/task/woken_children.hpp>

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace skua {

template <Future F>
class FuturesUnordered {
 public:
  using Item = Unit<Output<F>>;

  FuturesUnordered() : wakes_(make_ref<WokenChildren>()) {}
  FuturesUnordered(FuturesUnordered&&) = default;
  FuturesUnordered& operator=(FuturesUnordered other) noexcept {
    std::swap(wakes_, other.wakes_);
    std::swap(children_, other.children_);
    return *this;
  }
  ~FuturesUnordered() {
    if (!wakes_) return;  // moved from
    wakes_->forget_parent();
    clear();
  }

  /// Adds a future, which is polled for the first time with the next poll of the set.
  void push(F future) {
    children_.push_back(make_ref<Child>(wakes_, std::move(future), children_.size()));
    children_.back()->wake();
  }
  /// How many futures are not ready yet.
  std::size_t size() const noexcept { return children_.size(); }
  bool is_empty() const noexcept { return children_.empty(); }
  /// Cancels all futures.
  void clear() noexcept {
    while (!children_.empty()) remove(*children_.back());
  }

  /// The output (std::monostate for void) of a future that is ready, in the order in which they were woken; none: the
  /// set is empty. Throws what a future throws, which is removed by that; the others stay. Cancel safety: nothing is
  /// lost when next() is dropped.
  PollNext<Item> poll_next(Context& context) {
    if (children_.empty()) return PollNext<Item>(std::nullopt);
    if (!budget::take(context)) return pending;
    if (std::optional<Item> output = poll_woken(context)) return PollNext<Item>(std::move(output));
    budget::give_back();
    return pending;
  }

 private:
  struct Child final : WokenChild {
    Child(Ref<WokenChildren> set, F&& given, std::size_t at) : WokenChild(std::move(set)), index(at) {
      future.emplace(std::move(given));
    }
    std::optional<F> future;  // until the child is removed
    std::size_t index;        // in children_
  };

  std::optional<Item> poll_woken(Context& context) {
    for (std::size_t left = wakes_->begin_round(context.waker()); left > 0; --left) {
      auto* const child = static_cast<Child*>(wakes_->next_woken());
      if (child == nullptr) break;
      if (std::optional<Item> output = poll_child(*child)) return output;
      if (budget::remaining() == 0) {
        context.waker().wake_by_ref();  // no use to poll the rest, which would all be refused
        break;
      }
    }
    return std::nullopt;
  }

  std::optional<Item> poll_child(Child& child) {
    const BorrowedWaker waker = child.waker();
    Context context(waker.get());
    try {
      auto result = child.future->poll(context);
      if (result.is_pending()) return std::nullopt;
      remove(child);
      if constexpr (std::is_void_v<Output<F>>) {
        return Item();
      } else {
        return std::optional<Item>(std::move(result).take());
      }
    } catch (...) {
      remove(child);
      throw;
    }
  }

  void remove(Child& child) noexcept {
    wakes_->remove(child);
    const Ref<Child> owner = std::move(children_[child.index]);
    if (child.index + 1 < children_.size()) {
      children_[child.index] = std::move(children_.back());
      children_[child.index]->index = child.index;
    }
    children_.pop_back();
    child.future.reset();
  }

  Ref<WokenChildren> wakes_;
  std::vector<Ref<Child>> children_;
};

}  // namespace skua
