#include <skua/blocking/spawn_blocking.hpp>
#include <skua/runtime_core.hpp>

#include <optional>
#include <utility>

namespace skua {

/// What the pool has of a task. Nobody waits for it: the task tells its joiner itself.
class BlockingPlace::Entry final : public reactor::Operation {
 public:
  explicit Entry(Ref<RuntimeCore> core) noexcept : core_(std::move(core)) { abandon(); }
  ~Entry() override { free_place(); }

  void set_task(scheduler::TaskHeader* task) noexcept {
    task_ = task;
    activity_.emplace(core_->keeper());
  }
  RuntimeCore& core() const noexcept { return *core_; }

  int perform() noexcept override {
    free_place();
    core_->scheduler().run_blocking(std::exchange(task_, nullptr));
    core_->on_blocking_end();
    return 0;
  }

 protected:
  void discard(int) noexcept override {
    if (task_ != nullptr) core_->scheduler().end_blocking(std::exchange(task_, nullptr));
  }

 private:
  void free_place() noexcept {
    if (std::exchange(has_place_, false)) core_->blocking_places().give_back();
  }

  const Ref<RuntimeCore> core_;
  std::optional<Activity> activity_;       // until it has told its joiner
  scheduler::TaskHeader* task_ = nullptr;  // the queue entry's reference, until it has run or ended
  bool has_place_ = true;
};

BlockingPlace::BlockingPlace(const Handle& runtime) : entry_(make_ref<Entry>(runtime.core())) {}

void BlockingPlace::give_to(scheduler::TaskHeader* task) && noexcept {
  if (task == nullptr) return;
  auto& entry = static_cast<Entry&>(*entry_);
  entry.set_task(task);
  entry.core().blocking_pool().submit(std::move(entry_));
}

}  // namespace skua
