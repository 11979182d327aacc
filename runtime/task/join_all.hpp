// join_all(): join() of a range: awaits all its futures at the same time, in one task.
//
//   std::vector<Task<Page>> fetches = ...;
//   std::vector<Page> pages = co_await join_all(std::move(fetches));
//
// A wake polls the futures that were woken and no others (futures_unordered.hpp).
#pragma once

#include <skua/core/future.hpp>
#include <skua/task/elements.hpp>
#include <skua/task/futures_unordered.hpp>
#include <skua/task/join.hpp>
#include <skua/task/numbered.hpp>

#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

namespace skua {

/// The values that come in any order, until all are there.
template <class T>
class Places {
 public:
  void add() { values_.emplace_back(); }
  std::size_t size() const noexcept { return values_.size(); }
  void fill(std::size_t place, T value) { values_[place].emplace(std::move(value)); }
  /// Requires that all are filled.
  std::vector<T> take() {
    std::vector<T> all;
    all.reserve(values_.size());
    for (std::optional<T>& value : values_) all.push_back(*std::move(value));
    return all;
  }

 private:
  std::vector<std::optional<T>> values_;
};

template <class F>
class [[nodiscard]] JoinAll {
  using T = Unit<Output<F>>;

 public:
  using All = std::conditional_t<std::is_void_v<Output<F>>, void, std::vector<T>>;

  template <class R>
  explicit JoinAll(std::in_place_t, R&& futures) {
    for_each_element(std::forward<R>(futures), [this](F&& future) {
      running_.push(Numbered<F>(outputs_.size(), std::forward<F>(future)));
      outputs_.add();
    });
  }

  Poll<All> poll(Context& context) {
    for (;;) {
      auto next = running_.poll_next(context);
      if (next.is_pending()) return pending;
      if (!next.value()) break;
      outputs_.fill(next.value()->number, std::move(next.value()->outcome).take());
    }
    if constexpr (std::is_void_v<All>) {
      return ready;
    } else {
      return outputs_.take();
    }
  }

 private:
  FuturesUnordered<Numbered<F>> running_;
  Places<T> outputs_;
};

/// The outputs of all futures in a std::vector, in their order (nothing, if they are futures of void). The futures of a
/// range that is given as an lvalue are borrowed, those of any other range moved. If one throws, this does, and the
/// others are cancelled. Cancel safety: outputs that were there already are dropped with the join.
template <std::ranges::input_range R>
  requires Future<std::ranges::range_value_t<R>>
JoinAll<ElementOf<R>> join_all(R&& futures) {
  return JoinAll<ElementOf<R>>(std::in_place, std::forward<R>(futures));
}

}  // namespace skua
