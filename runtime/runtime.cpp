#include <skua/core/assert.hpp>
#include <skua/runtime.hpp>
#include <skua/runtime_core.hpp>
#include <skua/spawn.hpp>

#include <optional>
#include <utility>

namespace skua {

Runtime::Runtime() : Runtime(Builder().build().value()) {}
Runtime::Runtime(Ref<RuntimeCore> core) noexcept : core_(std::move(core)) {}
Runtime::Runtime(Runtime&& other) noexcept = default;
Runtime& Runtime::operator=(Runtime&& other) noexcept {
  std::swap(core_, other.core_);
  return *this;
}
Runtime::~Runtime() {
  if (!core_) return;
  if (RuntimeCore::current() == core_.get()) {
    fail_fast("a Runtime was destroyed by a thread that works for it, which would wait for itself",
              "Destroy it outside of its tasks, of unblock() and of its block_on()");
  }
  core_->shutdown();
}

Handle Runtime::handle() const noexcept { return Handle(core_); }

BlockOnScope::BlockOnScope(const Ref<RuntimeCore>& core) : core_(core) {
  if (scheduler::on_worker_thread()) {
    fail_fast("block_on() was called on a worker thread, which would sleep and run no other task", "Use co_await");
  }
  if (RuntimeCore::current() != nullptr) {
    fail_fast("block_on() was called inside of block_on()", "Use co_await in the inner one");
  }
  RuntimeCore::set_current(core_.get());
  before_driver_ = reactor::Driver::set_current(&core_->reactor_driver());
  if (keeper()) keeper()->begin();
}

BlockOnScope::~BlockOnScope() {
  if (keeper()) keeper()->release();
  RuntimeCore::set_current(nullptr);
  reactor::Driver::set_current(before_driver_);
}

const Ref<Timekeeper>& BlockOnScope::keeper() const noexcept { return core_->keeper(); }

Handle::Handle(Ref<RuntimeCore> core) noexcept : core_(std::move(core)) {}
Handle::Handle(const Handle&) noexcept = default;
Handle::Handle(Handle&&) noexcept = default;
Handle& Handle::operator=(Handle other) noexcept {
  std::swap(core_, other.core_);
  return *this;
}
Handle::~Handle() = default;

bool Handle::has_current() noexcept { return RuntimeCore::current() != nullptr; }

namespace {
RuntimeCore& required_core() {
  if (RuntimeCore* core = RuntimeCore::current()) return *core;
  fail_fast("there is no runtime on this thread: spawn() or Handle::current() was called outside of one",
            "Call it in a task or in block_on(), or keep a Handle: runtime.handle().spawn(...)");
}
}  // namespace

Handle Handle::current() { return Handle(Ref<RuntimeCore>::share(&required_core())); }
scheduler::Scheduler& current_scheduler() { return required_core().scheduler(); }

const Options& Handle::options() const noexcept { return core_->options(); }
scheduler::Scheduler& Handle::scheduler() const noexcept { return core_->scheduler(); }

}  // namespace skua
