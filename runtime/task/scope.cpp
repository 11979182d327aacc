#include <skua/core/assert.hpp>
#include <skua/scheduler/current_task.hpp>
#include <skua/scheduler/thread_parker.hpp>
#include <skua/task/scope.hpp>

namespace skua {

namespace {

struct WaitingThread : RefCounted<WaitingThread> {
  void wake() noexcept { parker.unpark(); }
  scheduler::ThreadParker parker;
};

// After end_now(): for the rest of a poll that goes on elsewhere, at most.
void wait_for(JoinHandleBase& task) {
  if (task.is_finished()) return;
  if (current_task_id() == task.id()) {
    fail_fast("a child destroyed the Scope that it belongs to, which waits for the child to end",
              "Leave the scope to its parent");
  }
  const auto thread = make_ref<WaitingThread>();
  const Waker waker = make_waker(thread);
  Context context(waker);
  while (!task.poll_finished(context)) thread->parker.park();
}

}  // namespace

void ScopeState::fail(std::optional<Error> error, std::exception_ptr exception) noexcept {
  {
    const seam::Lock lock(mutex_);
    if (std::exchange(failed_, true)) return;
    error_ = std::move(error);
    exception_ = std::move(exception);
  }
  token_.cancel(CancelReason::abandoned);
}

Result<void> ScopeState::take_outcome() {
  const seam::Lock lock(mutex_);
  if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
  if (error_) return *std::exchange(error_, std::nullopt);
  return {};
}

void ScopeChild::wake() noexcept {
  Waker joiner;
  {
    const seam::Lock lock(mutex_);
    if (std::exchange(ended_, true)) return;
    joiner = std::move(joiner_);
  }
  std::move(joiner).wake();
  std::move(scope_).wake();
}

bool ScopeChild::poll_ended(const Waker& waker) {
  Waker old;  // dropped after the lock is released
  const seam::Lock lock(mutex_);
  if (ended_) return true;
  if (!joiner_ || !joiner_.will_wake(waker)) old = std::exchange(joiner_, waker);
  return false;
}

void ScopeChild::leave_handle() noexcept {
  has_handle_ = false;
  bool ended = false;
  {
    const seam::Lock lock(mutex_);
    ended = ended_;
  }
  if (ended) drop_output();
}

void Scope::take(WakeSet<Child>::Entry& entry) { children_.take(entry).shared->leave_scope(); }

void Scope::add(Ref<ScopeChild> shared, JoinHandle<void> handle) {
  reap();
  auto& entry = children_.insert(Child{std::move(handle), shared});
  shared->tell(entry.waker());
  const Waker waker = make_waker(shared);
  Context context(waker);
  if (entry.value().handle.poll_finished(context)) shared->wake();
}

void Scope::reap() {
  while (auto* const entry = children_.try_pop_woken()) take(*entry);
}

Poll<Result<void>> Scope::Join::poll(Context& context) {
  while (scope_.children_.size() != 0) {
    auto* const entry = scope_.children_.pop_woken(context.waker());
    if (entry == nullptr) return pending;
    scope_.take(*entry);
  }
  return scope_.state_->take_outcome();
}

Scope::~Scope() {
  if (children_.size() == 0) return;
  reap();
  cancel(CancelReason::abandoned);
  children_.for_each([](Child& child) { child.handle.end_now(); });
  children_.for_each([](Child& child) {
    wait_for(child.handle);
    child.shared->leave_scope();
  });
}

}  // namespace skua
