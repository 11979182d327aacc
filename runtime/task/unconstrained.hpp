// unconstrained(): a future that is polled without the task's budget.
#pragma once

#include <skua/core/budget.hpp>
#include <skua/core/future.hpp>

#include <type_traits>
#include <utility>

namespace skua {

template <class F>
class [[nodiscard]] Unconstrained {
 public:
  explicit Unconstrained(F&& future) : future_(std::forward<F>(future)) {}
  Poll<Output<F>> poll(Context& context) {
    const budget::Grant grant(budget::unlimited);
    return future_.poll(context);
  }

 private:
  F future_;
};

/// Polls `future` as if its task had an endless budget: it gives way only where it has to wait. One that always finds
/// something to do keeps its worker for ever; for what must not be put off, and is short. Cancel safety: that of the
/// future.
template <class F>
  requires Future<std::remove_reference_t<F>>
Unconstrained<F> unconstrained(F&& future) {
  return Unconstrained<F>(std::forward<F>(future));
}

}  // namespace skua
