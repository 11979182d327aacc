// unblock(): a function that blocks, as a future.
//
//   Result<std::string> name = co_await unblock(read_the_name);   // on a thread of the runtime's blocking pool
//
// The pool has a bounded number of threads (option blocking.threads): with all of them busy, the function waits for its
// turn.
#pragma once

#include <skua/blocking/operation_future.hpp>
#include <skua/time/timeout.hpp>

#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace skua {

/// The function and what it returned or threw.
template <class F>
class BlockingCall final : public reactor::Operation {
  using Returned = std::invoke_result_t<F&>;

 public:
  explicit BlockingCall(F function) : function_(std::in_place, std::move(function)) {}

  int perform() noexcept override {
    try {
      if constexpr (std::is_void_v<Returned>) {
        (*function_)();
        output_.emplace();
      } else {
        output_.emplace((*function_)());
      }
    } catch (...) {
      exception_ = std::current_exception();
    }
    function_.reset();  // whoever sees the output finds what the function held released
    return 0;
  }

  /// Throws what the function threw.
  FlatResult<Returned> finish(int result) {
    if (result < 0) return system_error(-result, "unblock");
    if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
    return *std::move(output_);
  }

 private:
  std::optional<F> function_;
  std::optional<FlatResult<Returned>> output_;
  std::exception_ptr exception_;
};

/// Calls `function` once on a thread that may block, and is ready with Result<what it returns> (a Result stays as it
/// is); what it throws comes out of the await. Errors: resource_unavailable_try_again (the system has no thread left),
/// operation_canceled (the runtime has been shut down). On a worker or inside block_on().
/// Cancel safety: a function that has not begun is not called; one that has runs to its end, and nobody sees what it
/// returns.
template <class F>
  requires std::invocable<std::decay_t<F>&>
OperationFuture<BlockingCall<std::decay_t<F>>> unblock(F&& function) {
  return OperationFuture(make_ref<BlockingCall<std::decay_t<F>>>(std::forward<F>(function)));
}

}  // namespace skua
