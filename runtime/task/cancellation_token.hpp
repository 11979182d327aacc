// CancellationToken: tells any number of tasks that they are to end, and why.
//
//   CancellationToken stop;
//   spawn(serve(stop.child()));
//   ...
//   stop.cancel(CancelReason::shutdown);
//
// Tokens form a tree: cancelling one cancels its children and theirs, never its parent. Copies are the same token.
// It is a message, not a force: who is told decides what to do. run_until_cancelled() drops a future then.
//
// Thread safety: any thread. Memory ordering: what came before cancel() is visible to who sees the token cancelled.
// Under any executor; also on threads without one, where only cancelled() has no use.
#pragma once

#include <skua/core/atomic.hpp>
#include <skua/core/future.hpp>
#include <skua/core/mutex.hpp>
#include <skua/core/wait_list.hpp>
#include <skua/task/cancel_reason.hpp>

#include <optional>
#include <utility>

namespace skua {

/// A node of the tree. Counted by its tokens and by its children; the parent's list does not count.
///
/// Locks: one at a time. A node is linked, and unlinked, under its parent's mutex; its own guards its children and who
/// waits for it. cancel() takes the children out under the lock and goes on with them after it, so the depth of the
/// tree costs no stack, and no lock is held while a waker runs.
class CancellationNode {
 public:
  /// With one owner; `parent`, or null, gets one more.
  static CancellationNode* make(CancellationNode* parent);
  void add_owner() noexcept;
  static void drop_owner(CancellationNode* node) noexcept;

  /// True: this call did it. All descendants are cancelled then, except those that another call is about to.
  bool cancel(CancelReason reason) noexcept;
  std::optional<CancelReason> reason() const noexcept;
  /// True: cancelled. Otherwise `waker` is woken when it is.
  bool poll(WaitNode& waiter, const Waker& waker);
  void withdraw(WaitNode& waiter) noexcept;

 private:
  explicit CancellationNode(CancellationNode* parent) noexcept : parent_(parent) {}
  bool add_owner_unless_dead() noexcept;
  bool adopt(CancellationNode& child) noexcept;
  /// Cancels this node alone. Its children are put in front of `children`, with an owner each.
  bool cancel_one(CancelReason reason, CancellationNode*& children) noexcept;
  void unlink(CancellationNode& child) SKUA_REQUIRES(mutex_);

  CancellationNode* const parent_;  // owned; null at the root
  seam::Atomic<std::uint32_t> owners_{1};
  seam::Atomic<std::uint32_t> reason_{0};  // a CancelReason, once it is cancelled; written under the mutex
  seam::Mutex mutex_;
  WaitList<> waiters_ SKUA_GUARDED_BY(mutex_);
  CancellationNode* first_child_ SKUA_GUARDED_BY(mutex_) = nullptr;

  // Guarded by the parent's mutex while `is_linked_`; then `next_` is for who took the node out.
  CancellationNode* next_ = nullptr;
  CancellationNode* previous_ = nullptr;
  bool is_linked_ = false;
};

class CancellationToken {
 public:
  /// The root of a tree of its own.
  CancellationToken() : node_(CancellationNode::make(nullptr)) {}
  CancellationToken(const CancellationToken& other) noexcept : node_(other.node_) { node_->add_owner(); }
  CancellationToken(CancellationToken&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  CancellationToken& operator=(CancellationToken other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~CancellationToken() {
    if (node_ != nullptr) CancellationNode::drop_owner(node_);
  }

  /// A token that is cancelled with this one, for the same reason, and may be cancelled by itself. Of a token that is
  /// cancelled already: one that is too. Costs an allocation; what has been dropped leaves nothing behind. A chain of
  /// descendants keeps its ancestors.
  CancellationToken child() const { return CancellationToken(CancellationNode::make(node_)); }

  /// Cancels this token and all that descend from it; wakes who waits for them, on this thread. The first reason
  /// stays. False: it was cancelled before.
  bool cancel(CancelReason reason = CancelReason::user) const noexcept { return node_->cancel(reason); }

  bool is_cancelled() const noexcept { return node_->reason().has_value(); }
  /// Nothing as long as it is not cancelled.
  std::optional<CancelReason> reason() const noexcept { return node_->reason(); }

  class Cancelled;
  /// A future of the reason, ready once the token is cancelled. Keeps the token. Cancel safety: nothing to lose.
  Cancelled cancelled() const;

  class DropGuard;
  /// Cancels the token when it is destroyed.
  DropGuard drop_guard(CancelReason reason = CancelReason::abandoned) const;

  /// Whether both are the same token.
  friend bool operator==(const CancellationToken&, const CancellationToken&) noexcept = default;

 private:
  explicit CancellationToken(CancellationNode* node) noexcept : node_(node) {}
  CancellationNode* node_;  // owned; null: moved from
};

class [[nodiscard]] CancellationToken::Cancelled {
 public:
  explicit Cancelled(CancellationToken token) noexcept : token_(std::move(token)) {}
  /// Only before the first poll.
  Cancelled(Cancelled&& other) noexcept : token_(std::move(other.token_)) { SKUA_ASSERT(!other.is_known_); }
  ~Cancelled() {
    if (is_known_) token_.node_->withdraw(waiter_);
  }
  Poll<CancelReason> poll(Context& context) {
    if (auto reason = token_.reason()) return *reason;
    is_known_ = true;
    if (token_.node_->poll(waiter_, context.waker())) return *token_.reason();
    return pending;
  }

 private:
  CancellationToken token_;
  WaitNode waiter_;  // guarded by the node's mutex
  bool is_known_ = false;
};

class [[nodiscard("it cancels when it is destroyed, which is at once")]] CancellationToken::DropGuard {
 public:
  DropGuard(CancellationToken token, CancelReason reason) noexcept : token_(std::move(token)), reason_(reason) {}
  DropGuard(DropGuard&& other) noexcept : token_(std::exchange(other.token_, std::nullopt)), reason_(other.reason_) {}
  DropGuard& operator=(DropGuard&& other) noexcept {
    DropGuard dropped(std::move(other));
    std::swap(token_, dropped.token_);
    std::swap(reason_, dropped.reason_);
    return *this;
  }
  ~DropGuard() {
    if (token_) token_->cancel(reason_);
  }
  /// Lets go of the token without cancelling it.
  void disarm() && noexcept { token_.reset(); }

 private:
  std::optional<CancellationToken> token_;
  CancelReason reason_;
};

inline CancellationToken::Cancelled CancellationToken::cancelled() const { return Cancelled(*this); }
inline CancellationToken::DropGuard CancellationToken::drop_guard(CancelReason reason) const {
  return DropGuard(*this, reason);
}

}  // namespace skua
