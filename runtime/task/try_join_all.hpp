// try_join_all(): try_join() of a range: awaits all its futures of Result at the same time, in one task, until all have
// succeeded or one has failed.
//
//   std::vector<Page> pages = co_await try_(try_join_all(std::move(fetches)));     // a std::vector<Task<Result<Page>>>
#pragma once

#include <skua/core/future.hpp>
#include <skua/core/result.hpp>
#include <skua/task/elements.hpp>
#include <skua/task/futures_unordered.hpp>
#include <skua/task/join.hpp>
#include <skua/task/join_all.hpp>
#include <skua/task/numbered.hpp>

#include <ranges>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace skua {

template <class F>
class [[nodiscard]] TryJoinAll {
  static_assert(is_result<Output<F>>, "try_join_all() takes futures that are ready with a Result");
  using T = typename Output<F>::value_type;
  using E = typename Output<F>::error_type;

 public:
  using All = Result<std::conditional_t<std::is_void_v<T>, void, std::vector<Unit<T>>>, E>;

  template <class R>
  explicit TryJoinAll(std::in_place_t, R&& futures) {
    for_each_element(std::forward<R>(futures), [this](F&& future) {
      running_.push(Numbered<F>(values_.size(), std::forward<F>(future)));
      values_.add();
    });
  }

  Poll<All> poll(Context& context) {
    for (;;) {
      auto next = running_.poll_next(context);
      if (next.is_pending()) return pending;
      if (!next.value()) break;
      Output<F> result = std::move(next.value()->outcome).take();
      if (!result) return All(std::move(result).error());
      if constexpr (!std::is_void_v<T>) values_.fill(next.value()->number, *std::move(result));
    }
    if constexpr (std::is_void_v<T>) {
      return All();
    } else {
      return All(values_.take());
    }
  }

 private:
  FuturesUnordered<Numbered<F>> running_;
  Places<Unit<T>> values_;
};

/// The values of all futures in a std::vector, in their order (nothing, if they are futures of Result<void>), or the
/// error of the one that failed first; the others are cancelled when the object is destroyed, at the end of the
/// co_await expression. The futures of a range that is given as an lvalue are borrowed, those of any other range moved.
/// Cancel safety: values that were there already are dropped.
template <std::ranges::input_range R>
  requires Future<std::ranges::range_value_t<R>>
TryJoinAll<ElementOf<R>> try_join_all(R&& futures) {
  return TryJoinAll<ElementOf<R>>(std::in_place, std::forward<R>(futures));
}

}  // namespace skua
