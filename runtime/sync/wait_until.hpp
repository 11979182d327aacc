// WaitUntil: a future that looks at something, and waits for a Notify between two looks.
#pragma once

#include <skua/core/budget.hpp>
#include <skua/sync/notify.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace skua::sync {

/// `look()` returns a std::optional: none, and it is called again after the next notify_waiters().
template <class Look>
class [[nodiscard]] WaitUntil {
 public:
  using Value = typename std::invoke_result_t<Look&>::value_type;

  WaitUntil(Notify& changed, Look look) noexcept : changed_(changed), look_(std::move(look)) {}
  /// Before the first poll only.
  WaitUntil(WaitUntil&& other) noexcept : changed_(other.changed_), look_(std::move(other.look_)) {
    SKUA_ASSERT(!other.notified_);
  }

  Poll<Value> poll(Context& context) {
    if (!budget::take(context)) return pending;
    for (;;) {
      if (!notified_) notified_.emplace(changed_.notified());  // before the look: nothing is missed between
      if (auto found = look_()) return *std::move(found);
      if (notified_->poll(context).is_pending()) {
        budget::give_back();
        return pending;
      }
      notified_.reset();
    }
  }

 private:
  Notify& changed_;
  Look look_;
  std::optional<Notify::Notified> notified_;
};

}  // namespace skua::sync
