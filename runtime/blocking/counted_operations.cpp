#include <skua/blocking/counted_operations.hpp>
#include <skua/core/mutex.hpp>

#include <map>
#include <utility>

namespace skua {

namespace {

class CountedOperations;

/// Stands for an operation, which it completes when it is completed itself.
class CountedOperation final : public reactor::Operation {
 public:
  CountedOperation(Ref<CountedOperations> owner, Ref<reactor::Operation> operation) noexcept;
  int perform() noexcept override { return operation_->perform(); }

 protected:
  // Called by complete(): nobody waits for this one.
  void discard(int result) noexcept override;

 private:
  const Ref<CountedOperations> owner_;
  const Ref<reactor::Operation> operation_;
};

class CountedOperations final : public reactor::OperationExecutor {
 public:
  CountedOperations(Ref<reactor::OperationExecutor> executor, Ref<Timekeeper> keeper) noexcept
      : executor_(std::move(executor)), keeper_(std::move(keeper)) {}

  reactor::OperationExecutor& submit(Ref<reactor::Operation> operation) noexcept override {
    keeper_->begin();
    const auto counted = make_ref<CountedOperation>(Ref<CountedOperations>::share(this), operation);
    {
      const seam::Lock lock(mutex_);
      going_on_.emplace(operation.get(), counted);
    }
    executor_->submit(counted);
    return *this;
  }

  void cancel(reactor::Operation& operation) noexcept override {
    Ref<reactor::Operation> counted;
    {
      const seam::Lock lock(mutex_);
      const auto found = going_on_.find(&operation);
      if (found == going_on_.end()) return;
      counted = found->second;
    }
    executor_->cancel(*counted);
  }

  // Whose turn it is has shut down the executor itself.
  void shutdown() override {}

  void on_completed(reactor::Operation& operation, int result) noexcept {
    Ref<reactor::Operation> counted;  // dropped after the lock is released
    {
      const seam::Lock lock(mutex_);
      const auto found = going_on_.find(&operation);
      counted = std::move(found->second);
      going_on_.erase(found);
    }
    operation.complete(result);
    keeper_->release();  // who waited for it has been woken, and counted
  }

 private:
  const Ref<reactor::OperationExecutor> executor_;
  const Ref<Timekeeper> keeper_;
  seam::Mutex mutex_;
  std::map<reactor::Operation*, Ref<reactor::Operation>> going_on_ SKUA_GUARDED_BY(mutex_);
};

CountedOperation::CountedOperation(Ref<CountedOperations> owner, Ref<reactor::Operation> operation) noexcept
    : owner_(std::move(owner)), operation_(std::move(operation)) {
  abandon();
}

void CountedOperation::discard(int result) noexcept { owner_->on_completed(*operation_, result); }

}  // namespace

Ref<reactor::OperationExecutor> make_counted_operations(Ref<reactor::OperationExecutor> executor,
                                                        Ref<Timekeeper> keeper) {
  return make_ref<CountedOperations>(std::move(executor), std::move(keeper));
}

}  // namespace skua
