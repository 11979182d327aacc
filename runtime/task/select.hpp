// select(): awaits several futures at the same time, in one task, until the first is ready.
//
//   auto first = co_await select(stream.read(buffer), sleep(1s));
//   if (first.index() == 0) use(std::get<0>(first)); else give_up();
//
//   co_await select(biased, stop.wait(), work());           // asks in this order, each time
//   co_await select(when(has_room, input.read(buffer)),     // a branch that may be off
//                   when(!queue.empty(), output.write(queue.front())),
//                   otherwise);                             // ready if all others are off
#pragma once

#include <skua/core/assert.hpp>
#include <skua/core/budget.hpp>
#include <skua/core/future.hpp>
#include <skua/core/random.hpp>
#include <skua/task/join.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace skua {

/// First argument of select() and race(): the branches are asked in their order. One that is ready each time keeps
/// those behind it back.
struct Biased {
  explicit constexpr Biased() = default;
};
inline constexpr Biased biased{};

/// Last argument of select(): the branch (of void) that is taken if all others are off.
struct Otherwise {
  explicit constexpr Otherwise() = default;
  Poll<void> poll(Context&) const noexcept { return ready; }
};
inline constexpr Otherwise otherwise{};

/// A branch that is on or off.
template <class F>
class [[nodiscard]] Guarded {
 public:
  Guarded(bool is_on, F&& future) : is_on_(is_on), future_(std::forward<F>(future)) {}
  bool is_on() const noexcept { return is_on_; }
  /// Outside of a select(): pending for ever if it is off.
  Poll<Output<F>> poll(Context& context) {
    if (!is_on_) return pending;
    return future_.poll(context);
  }

 private:
  bool is_on_;
  F future_;
};

/// For select(): `future`, which is never polled unless `is_on`. A future given as an lvalue is borrowed. (The
/// expression that makes the future is evaluated in any case.)
template <class F>
  requires Future<std::remove_reference_t<F>>
Guarded<F> when(bool is_on, F&& future) {
  return Guarded<F>(is_on, std::forward<F>(future));
}

template <class F>
inline constexpr bool is_guarded = false;
template <class F>
inline constexpr bool is_guarded<Guarded<F>> = true;
template <class F>
inline constexpr bool is_otherwise = std::is_same_v<std::remove_cvref_t<F>, Otherwise>;

enum class SelectOrder {
  fair,      // which branch is asked first is drawn each time
  as_given,  // the first is asked first
};

template <SelectOrder order, class... F>
class [[nodiscard]] Select {
  static constexpr std::size_t count = sizeof...(F);
  static constexpr bool has_otherwise = is_otherwise<std::tuple_element_t<count - 1, std::tuple<F...>>>;
  static constexpr std::size_t branch_count = has_otherwise ? count - 1 : count;
  static_assert((0 + ... + (is_otherwise<F> ? 1 : 0)) == (has_otherwise ? 1 : 0), "`otherwise` stands at the end");

 public:
  using First = std::variant<Unit<Output<F>>...>;

  explicit Select(F&&... futures) : futures_(std::forward<F>(futures)...) {}

  Poll<First> poll(Context& context) { return poll(context, std::make_index_sequence<branch_count>()); }

 private:
  using PollBranch = std::optional<First> (*)(Select&, Context&);

  template <std::size_t Index>
  bool is_on() const noexcept {
    if constexpr (is_guarded<std::remove_cvref_t<std::tuple_element_t<Index, std::tuple<F...>>>>) {
      return std::get<Index>(futures_).is_on();
    }
    return true;
  }

  template <std::size_t Index>
  static std::optional<First> poll_branch(Select& self, Context& context) {
    auto result = std::get<Index>(self.futures_).poll(context);
    if (result.is_pending()) return std::nullopt;
    if constexpr (std::is_same_v<typename decltype(result)::value_type, void>) {
      return First(std::in_place_index<Index>);
    } else {
      return First(std::in_place_index<Index>, std::move(result).take());
    }
  }

  template <std::size_t... Index>
  Poll<First> poll(Context& context, std::index_sequence<Index...>) {
    static constexpr std::array<PollBranch, branch_count> branches{&poll_branch<Index>...};
    if (!(is_on<Index>() || ...)) return all_off();
    // A unit for itself: branches that take none must not go on for ever while those that do are refused.
    if (!budget::take(context)) return pending;
    const std::size_t start = order == SelectOrder::as_given ? 0 : seam::thread_random().below(branch_count);
    for (std::size_t i = 0; i < branch_count; ++i) {
      if (auto first = branches[(start + i) % branch_count](*this, context)) return *std::move(first);
    }
    budget::give_back();
    return pending;
  }

  static First all_off() noexcept {
    if constexpr (has_otherwise) {
      return First(std::in_place_index<count - 1>);
    } else {
      fail_fast("all branches of a select() are off", "Give it `otherwise` as the last branch, or one that is on");
    }
  }

  std::tuple<F...> futures_;
};

/// A variant whose index is that of the first future to be ready and which holds its output (std::monostate for void).
/// The others are cancelled when the object is destroyed, at the end of the co_await expression; one given as an lvalue
/// is only borrowed and can be awaited on. Among several that are ready one is drawn. Branches made by when() may be
/// off; if all are, `otherwise` is taken, without which that ends the program. Cancel safety: that of the futures.
template <class... F>
  requires(sizeof...(F) > 0 && (Future<std::remove_reference_t<F>> && ...))
Select<SelectOrder::fair, F...> select(F&&... futures) {
  return Select<SelectOrder::fair, F...>(std::forward<F>(futures)...);
}

/// The same; among several that are ready the first is taken.
template <class... F>
  requires(sizeof...(F) > 0 && (Future<std::remove_reference_t<F>> && ...))
Select<SelectOrder::as_given, F...> select(Biased, F&&... futures) {
  return Select<SelectOrder::as_given, F...>(std::forward<F>(futures)...);
}

}  // namespace skua
