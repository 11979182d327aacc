// A thread of the checker as a task: it sleeps until its waker is woken. A wake that is lost is a deadlock.
#pragma once

#include "harness.hpp"

#include <skua/core/context.hpp>
#include <skua/core/future.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/wake.hpp>

#include <type_traits>
#include <utility>

namespace skua::model {

struct WokenThread : RefCounted<WokenThread> {
  void wake() noexcept { event.set(); }
  Event event;
};

/// Waits for `future` as a task does.
template <class F>
Output<std::remove_reference_t<F>> await(F&& future) {
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
  const auto thread = make_ref<WokenThread>();
  const Waker waker = make_waker(thread);
  Context context(waker);
  return future.poll(context);
}

}  // namespace skua::model
