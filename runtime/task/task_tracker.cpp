#include <skua/task/task_tracker.hpp>

namespace skua {

namespace {
constexpr std::uint64_t closed = 1;
constexpr std::uint64_t one_task = 2;
}  // namespace

void TaskTracker::State::wake() {
  for (bool more = true; more;) {
    WakeBatch batch;
    const seam::Lock lock(mutex);
    more = waiters.move_wakers(batch);
  }
}

TaskTracker::TaskTracker() : state_(make_ref<State>()) {}

TaskTracker::Token::Token(Ref<State> state) noexcept : state_(std::move(state)) {
  // relaxed: only the way down to zero orders anything
  state_->word.fetch_add(one_task, std::memory_order_relaxed);
}

TaskTracker::Token::~Token() {
  if (!state_) return;
  // [TT1] acq_rel: who finds the tracker empty sees what all of its tasks did; pairs with itself, [TT3].
  const std::uint64_t before = state_->word.fetch_sub(one_task, std::memory_order_acq_rel);
  if (before == one_task + closed) state_->wake();
}

bool TaskTracker::close() const noexcept {
  // [TT2] acq_rel: as the end of a task; pairs with [TT1], [TT3].
  const std::uint64_t before = state_->word.fetch_or(closed, std::memory_order_acq_rel);
  if (before == 0) state_->wake();
  return (before & closed) == 0;
}

bool TaskTracker::reopen() const noexcept {
  // relaxed: it publishes nothing
  return (state_->word.fetch_and(~closed, std::memory_order_relaxed) & closed) != 0;
}

bool TaskTracker::is_closed() const noexcept {
  return (state_->word.load(std::memory_order_relaxed) & closed) != 0;  // relaxed: a state that is stale at once
}

std::size_t TaskTracker::len() const noexcept {
  return state_->word.load(std::memory_order_relaxed) / one_task;  // relaxed: a number that is stale at once
}

TaskTracker::Wait::Wait(Ref<State> state) noexcept : state_(std::move(state)) {}

TaskTracker::Wait::Wait(Wait&& other) noexcept : state_(std::move(other.state_)) { SKUA_ASSERT(!other.was_enlisted_); }

TaskTracker::Wait::~Wait() {
  if (!was_enlisted_) return;
  const seam::Lock lock(state_->mutex);
  if (node_.is_listed) state_->waiters.remove(node_);
}

Poll<void> TaskTracker::Wait::poll(Context& context) {
  Waker old;  // dropped after the lock is released
  const seam::Lock lock(state_->mutex);
  // Woken: it was closed and empty, whatever has been spawned since.
  if (was_enlisted_ && !node_.is_listed) return ready;
  // [TT3] acquire: sees what the tasks did. Under the lock: who makes it empty after this takes the lock to wake the
  // node. Pairs with [TT1], [TT2].
  if (state_->word.load(std::memory_order_acquire) == closed) return ready;
  was_enlisted_ = true;
  old = state_->waiters.enlist(node_, context.waker());
  return pending;
}

}  // namespace skua
