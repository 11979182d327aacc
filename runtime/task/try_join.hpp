// try_join(): awaits several futures of Result at the same time, in one task, until all have succeeded or one has
// failed.
//
//   auto [head, body] = co_await try_(try_join(read_head(), read_body()));
#pragma once

#include <skua/core/future.hpp>
#include <skua/core/result.hpp>
#include <skua/task/join.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace skua {

template <class... F>
class [[nodiscard]] TryJoin {
  static_assert((is_result<Output<F>> && ...), "try_join() takes futures that are ready with a Result");

 public:
  using Values = std::tuple<Unit<typename Output<F>::value_type>...>;

  explicit TryJoin(F&&... futures) : futures_(std::forward<F>(futures)...) {}

  Poll<Result<Values>> poll(Context& context) { return poll(context, std::index_sequence_for<F...>()); }

 private:
  using PollBranch = void (*)(TryJoin&, Context&);

  template <std::size_t Index>
  static void poll_branch(TryJoin& self, Context& context) {
    auto& value = std::get<Index>(self.values_);
    if (value) return;
    auto result = std::get<Index>(self.futures_).poll(context);
    if (result.is_pending()) return;
    if (!result.value().has_value()) {
      self.error_.emplace(std::move(result.value()).error());
    } else if constexpr (std::is_void_v<typename std::remove_reference_t<decltype(result.value())>::value_type>) {
      value.emplace();
    } else {
      value.emplace(*std::move(result.value()));
    }
  }

  // Each branch that is not ready must know the waker; every branch comes first in its turn, as in Join.
  template <std::size_t... Index>
  Poll<Result<Values>> poll(Context& context, std::index_sequence<Index...>) {
    static constexpr std::array<PollBranch, sizeof...(F)> branches{&poll_branch<Index>...};
    for (std::size_t i = 0; i < branches.size() && !error_; ++i) {
      branches[(first_ + i) % branches.size()](*this, context);
    }
    first_ = (first_ + 1) % branches.size();
    if (error_) return Result<Values>(*std::move(error_));
    if (!(std::get<Index>(values_).has_value() && ...)) return pending;
    return Result<Values>(Values(*std::move(std::get<Index>(values_))...));
  }

  std::tuple<F...> futures_;
  std::tuple<std::optional<Unit<typename Output<F>::value_type>>...> values_;
  std::optional<Error> error_;
  std::size_t first_ = 0;  // the branch that is polled first
};

/// The values of all `futures` (std::monostate for void), or the error of the one that failed first; the others are
/// cancelled when the object is destroyed, at the end of the co_await expression. A future given as an lvalue is
/// borrowed. Cancel safety: values that were there already are dropped.
template <class... F>
  requires(sizeof...(F) > 0 && (Future<std::remove_reference_t<F>> && ...))
TryJoin<F...> try_join(F&&... futures) {
  return TryJoin<F...>(std::forward<F>(futures)...);
}

}  // namespace skua
