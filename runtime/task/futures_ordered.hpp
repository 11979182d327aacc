// FuturesOrdered: any number of futures, polled in one task at the same time; their outputs come in the order in which
// the futures were pushed. See FuturesUnordered, which it is made of.
#pragma once

#include <skua/core/future.hpp>
#include <skua/stream/stream.hpp>
#include <skua/task/futures_unordered.hpp>
#include <skua/task/numbered.hpp>

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

namespace skua {

template <Future F>
class FuturesOrdered {
 public:
  using Item = Unit<Output<F>>;

  void push(F future) {
    running_.push(Numbered<F>(first_ + settled_.size(), std::move(future)));
    settled_.emplace_back();
  }
  /// How many outputs are still to come, those included that are ready and wait for their turn.
  std::size_t size() const noexcept { return settled_.size(); }
  bool is_empty() const noexcept { return settled_.empty(); }

  /// The output (std::monostate for void) of the future that was pushed first; none: there are no more. Throws what
  /// that future threw; the next poll goes on with the one behind it. Cancel safety: nothing is lost.
  PollNext<Item> poll_next(Context& context) {
    if (settled_.empty()) return PollNext<Item>(std::nullopt);
    while (!settled_.front()) {
      auto next = running_.poll_next(context);
      if (next.is_pending()) return pending;
      SKUA_ASSERT(next.value());
      const std::size_t place = next.value()->number - first_;
      settled_[place].emplace(std::move(next.value()->outcome));
    }
    Outcome<Output<F>> first = *std::move(settled_.front());
    settled_.pop_front();
    ++first_;
    return PollNext<Item>(std::move(first).take());
  }

 private:
  FuturesUnordered<Numbered<F>> running_;
  std::deque<std::optional<Outcome<Output<F>>>> settled_;  // in order; nothing yet from those that run
  std::size_t first_ = 0;                                  // the number of the first of them
};

}  // namespace skua
