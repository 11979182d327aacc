#include <skua/reactor/operation.hpp>

#include <utility>

namespace skua::reactor {

Poll<int> Operation::poll(const Waker& waker) {
  Waker old;  // dropped after the lock is released
  const seam::Lock lock(mutex_);
  if (result_) {
    taken_ = true;
    return *result_;
  }
  if (!waker_.will_wake(waker)) old = std::exchange(waker_, waker);
  return pending;
}

bool Operation::abandon() noexcept {
  Waker old;  // dropped after the lock is released
  int unseen = 0;
  {
    const seam::Lock lock(mutex_);
    abandoned_ = true;
    old = std::move(waker_);
    if (!result_) return true;
    if (taken_) return false;
    unseen = *result_;
  }
  discard(unseen);
  return false;
}

void Operation::complete(int result) noexcept {
  Waker waker;
  bool is_wanted = true;
  {
    const seam::Lock lock(mutex_);
    SKUA_ASSERT(!result_);
    result_ = result;
    is_wanted = !abandoned_;
    waker = std::move(waker_);
  }
  if (!is_wanted) discard(result);
  std::move(waker).wake();
}

OperationList::~OperationList() {
  while (pop()) {
  }
}

void OperationList::push(Ref<Operation> operation) noexcept {
  Operation* const added = operation.release();
  // relaxed, here and below: compared with the address of one list, under the lock that all its changes are made under.
  // Another value may be of any moment: whichever it is, it is not this list's.
  SKUA_ASSERT(added->list_.load(std::memory_order_relaxed) == nullptr);
  added->list_.store(this, std::memory_order_relaxed);  // relaxed: see above
  added->next_ = nullptr;
  added->previous_ = last_;
  (last_ == nullptr ? first_ : last_->next_) = added;
  last_ = added;
  ++size_;
}

Ref<Operation> OperationList::pop() noexcept { return first_ == nullptr ? nullptr : remove(*first_); }

Ref<Operation> OperationList::remove(Operation& operation) noexcept {
  if (operation.list_.load(std::memory_order_relaxed) != this) return nullptr;  // relaxed: see push()
  (operation.previous_ == nullptr ? first_ : operation.previous_->next_) = operation.next_;
  (operation.next_ == nullptr ? last_ : operation.next_->previous_) = operation.previous_;
  --size_;
  operation.list_.store(nullptr, std::memory_order_relaxed);  // relaxed: see push()
  return Ref<Operation>::adopt(&operation);
}

}  // namespace skua::reactor
