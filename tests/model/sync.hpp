// For models of the primitives in sync/: what the production sources need beside them, and threads as tasks.
#pragma once

#include "harness.hpp"

#include <skua/core/budget.hpp>
#include <skua/core/context.hpp>
#include <skua/core/future.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/wake.hpp>
#include <skua/sync/sync_error.hpp>

#include <system_error>
#include <utility>

namespace skua {

namespace budget {
bool take(Context&) noexcept { return true; }
void give_back() noexcept {}
std::uint32_t remaining() noexcept { return unlimited; }
}  // namespace budget

std::error_code make_error_code(SyncError error) noexcept { return {static_cast<int>(error), std::generic_category()}; }

namespace model {

struct WokenThread : RefCounted<WokenThread> {
  void wake() noexcept { event.set(); }
  Event event;
};

/// Waits for `future` as a task does. A wake that is lost is a deadlock.
template <class F>
Output<F> await(F& future) {
  const auto thread = make_ref<WokenThread>();
  const Waker waker = make_waker(thread);
  Context context(waker);
  for (;;) {
    auto result = future.poll(context);
    if (result.is_ready()) return std::move(result).take();
    thread->event.consume();
  }
}
/// For who drops it afterwards.
template <class F>
auto poll_once(F& future) {
  const Waker waker = Waker::noop();
  Context context(waker);
  return future.poll(context);
}

}  // namespace model
}  // namespace skua
