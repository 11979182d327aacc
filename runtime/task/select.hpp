// select(): awaits several futures at the same time, in one task, until the first is ready.
//
//   auto first = co_await select(stream.read(buffer), sleep(1s));
//   if (first.index() == 0) use(std::get<0>(first)); else give_up();
#pragma once

#include <skua/core/future.hpp>
#include <skua/core/random.hpp>
#include <skua/task/join.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace skua {

template <class... F>
class [[nodiscard]] Select {
 public:
  using First = std::variant<Unit<Output<F>>...>;

  explicit Select(F&&... futures) : futures_(std::forward<F>(futures)...) {}

  Poll<First> poll(Context& context) { return poll(context, std::index_sequence_for<F...>()); }

 private:
  using PollBranch = std::optional<First> (*)(Select&, Context&);

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
    static constexpr std::array<PollBranch, sizeof...(F)> branches{&poll_branch<Index>...};
    // Fair: which branch is asked first is drawn each time.
    const std::size_t start = seam::thread_random().below(sizeof...(F));
    for (std::size_t i = 0; i < branches.size(); ++i) {
      if (auto first = branches[(start + i) % branches.size()](*this, context)) return *std::move(first);
    }
    return pending;
  }

  std::tuple<F...> futures_;
};

/// A variant whose index is that of the first future to be ready and which holds its output (std::monostate for void).
/// The others are cancelled when the object is destroyed, at the end of the co_await expression; one given as an lvalue
/// is only borrowed and can be awaited on. Among several that are ready one is drawn. Cancel safety: that of the
/// futures.
template <class... F>
  requires(sizeof...(F) > 0 && (Future<std::remove_reference_t<F>> && ...))
Select<F...> select(F&&... futures) {
  return Select<F...>(std::forward<F>(futures)...);
}

}  // namespace skua
