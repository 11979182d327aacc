// join(): awaits several futures at the same time, in one task, until all are ready.
//
//   auto [left, right] = co_await join(read_left(), read_right());
#pragma once

#include <skua/core/future.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace skua {

/// What stands for the output of a future of void in a tuple or variant.
template <class T>
using Unit = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

/// A future and its output once it has one.
template <class F>
class Branch {
 public:
  explicit Branch(F&& future) : future_(std::forward<F>(future)) {}

  /// Polls the future unless it was ready before. True: the output is there.
  bool poll(Context& context) {
    if (output_) return true;
    auto result = future_.poll(context);
    if (result.is_pending()) return false;
    if constexpr (std::is_void_v<Output<F>>) {
      output_.emplace();
    } else {
      output_.emplace(std::move(result).take());
    }
    return true;
  }
  Unit<Output<F>> take() { return *std::move(output_); }

 private:
  F future_;
  std::optional<Unit<Output<F>>> output_;
};

template <class... F>
class [[nodiscard]] Join {
 public:
  explicit Join(F&&... futures) : branches_(Branch<F>(std::forward<F>(futures))...) {}

  Poll<std::tuple<Unit<Output<F>>...>> poll(Context& context) {
    if (!poll_all(context, std::index_sequence_for<F...>())) return pending;
    return std::apply([](auto&... branch) { return std::tuple<Unit<Output<F>>...>(branch.take()...); }, branches_);
  }

 private:
  using PollBranch = bool (*)(Join&, Context&);

  // No short cut: each branch that is not ready must know the waker. Fair: every branch comes first in its turn, for
  // the first may use up the budget.
  template <std::size_t... Index>
  bool poll_all(Context& context, std::index_sequence<Index...>) {
    static constexpr std::array<PollBranch, sizeof...(F)> polls{
        [](Join& self, Context& given) { return std::get<Index>(self.branches_).poll(given); }...};
    bool all = true;
    for (std::size_t i = 0; i < polls.size(); ++i) all &= polls[(first_ + i) % polls.size()](*this, context);
    first_ = (first_ + 1) % polls.size();
    return all;
  }

  std::tuple<Branch<F>...> branches_;
  std::size_t first_ = 0;  // the branch that is polled first
};

/// The outputs of all `futures` (std::monostate for void). A future given as an lvalue is borrowed. If one throws, the
/// others are cancelled. Cancel safety: outputs that were there already are dropped with the join.
template <class... F>
  requires(sizeof...(F) > 0 && (Future<std::remove_reference_t<F>> && ...))
Join<F...> join(F&&... futures) {
  return Join<F...>(std::forward<F>(futures)...);
}

}  // namespace skua
