// race(): the output of the first of several futures to be ready.
//
//   Page page = co_await race(fetch(here), fetch(there));
//   Page page = co_await race(std::move(fetches));      // a std::vector<Task<Page>>
#pragma once

#include <skua/core/assert.hpp>
#include <skua/core/future.hpp>
#include <skua/task/elements.hpp>
#include <skua/task/futures_unordered.hpp>
#include <skua/task/select.hpp>

#include <concepts>
#include <ranges>
#include <type_traits>
#include <utility>
#include <variant>

namespace skua {

template <SelectOrder order, class... F>
class [[nodiscard]] Race {
  using T = std::common_type_t<Output<F>...>;
  static_assert((std::same_as<Output<F>, T> && ...), "race() takes futures of the same output; select() any");

 public:
  explicit Race(F&&... futures) : select_(std::forward<F>(futures)...) {}

  Poll<T> poll(Context& context) {
    auto first = select_.poll(context);
    if (first.is_pending()) return pending;
    if constexpr (std::is_void_v<T>) {
      return ready;
    } else {
      return std::visit([](auto& output) -> T { return std::move(output); }, first.value());
    }
  }

 private:
  Select<order, F...> select_;
};

/// The output of the first to be ready; among several one is drawn. The others are cancelled when the object is
/// destroyed, at the end of the co_await expression; one given as an lvalue is borrowed. A failure wins as a success
/// does. Cancel safety: that of the futures.
template <class... F>
  requires(sizeof...(F) > 0 && (Future<std::remove_reference_t<F>> && ...))
Race<SelectOrder::fair, F...> race(F&&... futures) {
  return Race<SelectOrder::fair, F...>(std::forward<F>(futures)...);
}

/// The same; among several that are ready the first is taken.
template <class... F>
  requires(sizeof...(F) > 0 && (Future<std::remove_reference_t<F>> && ...))
Race<SelectOrder::as_given, F...> race(Biased, F&&... futures) {
  return Race<SelectOrder::as_given, F...>(std::forward<F>(futures)...);
}

template <class F>
class [[nodiscard]] RaceAll {
  using T = Output<F>;

 public:
  template <class R>
  explicit RaceAll(R&& futures) {
    for_each_element(std::forward<R>(futures),
                     [this](F&& future) { futures_.push(BorrowedOrOwned<F>(std::forward<F>(future))); });
    if (futures_.is_empty()) fail_fast("race() was given no futures", "Ask whether there are any");
  }

  Poll<T> poll(Context& context) {
    auto first = futures_.poll_next(context);
    if (first.is_pending()) return pending;
    if constexpr (std::is_void_v<T>) {
      return ready;
    } else {
      return *std::move(first.value());
    }
  }

 private:
  FuturesUnordered<BorrowedOrOwned<F>> futures_;
};

/// The same of the futures of a range, which must not be empty: those of an lvalue are borrowed, of any other range
/// moved.
template <std::ranges::input_range R>
  requires Future<std::ranges::range_value_t<R>>
RaceAll<ElementOf<R>> race(R&& futures) {
  return RaceAll<ElementOf<R>>(std::forward<R>(futures));
}

}  // namespace skua
