#include <skua/core/assert.hpp>
#include <skua/core/wake.hpp>
#include <skua/current_thread.hpp>
#include <skua/metrics.hpp>
#include <skua/metrics/spawn_sites.hpp>
#include <skua/runtime.hpp>
#include <skua/runtime_core.hpp>
#include <skua/scheduler/thread_parker.hpp>
#include <skua/spawn.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace skua {

Runtime::Runtime() : Runtime(Builder().build().value()) {}
Runtime::Runtime(Ref<RuntimeCore> core) noexcept : core_(std::move(core)) {}
Runtime::Runtime(Runtime&& other) noexcept = default;
Runtime& Runtime::operator=(Runtime&& other) noexcept {
  std::swap(core_, other.core_);
  return *this;
}
namespace {
void require_outsider(const RuntimeCore& core) {
  if (RuntimeCore::current() != &core) return;
  fail_fast("a Runtime was destroyed by a thread that works for it, which would wait for itself",
            "Destroy it outside of its tasks, of functions that block, and of its block_on()");
}
}  // namespace

Runtime::~Runtime() {
  if (!core_ || core_->is_shut_down()) return;
  require_outsider(*core_);
  core_->shutdown();
}

ShutdownReport Runtime::shutdown(Duration limit, Duration grace) {
  require_outsider(*core_);
  if (core_->is_shut_down()) return {};
  return core_->shutdown_within(limit, grace);
}

Result<void> Runtime::reconfigure(std::string_view key, std::string_view value) {
  return core_->reconfigure(key, value, "reconfigure()");
}

Handle Runtime::handle() const noexcept { return Handle(core_); }
Metrics Runtime::metrics() const { return core_->metrics(); }

// --- block_on

namespace {

/// A thread in block_on(), as its waker sees it. It may outlive the thread's wait, and the runtime.
struct BlockedThread : RefCounted<BlockedThread> {
  explicit BlockedThread(Ref<Timekeeper> keeper) noexcept : parker(std::move(keeper)) {}
  explicit BlockedThread(reactor::Driver* run_by) noexcept : driver(Ref<reactor::Driver>::share(run_by)) {}
  void wake() noexcept {
    if (!driver) return parker.unpark();
    // [BW2] release: pairs with [BW1].
    is_woken.store(true, std::memory_order_release);
    driver->wake();
  }
  // Of a runtime with threads
  scheduler::ThreadParker parker;
  // Of a current-thread runtime
  const Ref<reactor::Driver> driver;
  seam::Atomic<bool> is_woken{false};
};

void require_idle_thread(std::string_view operation) {
  if (scheduler::on_worker_thread()) {
    fail_fast(std::string(operation) + " was called on a worker thread, which would sleep and run no other task",
              "Use co_await");
  }
  if (RuntimeCore::current() != nullptr) {
    fail_fast(std::string(operation) + " was called inside of block_on()", "Use co_await in the inner one");
  }
}

CurrentThread& required_current_thread(RuntimeCore& core, std::string_view operation) {
  if (CurrentThread* const current = core.current_thread()) return *current;
  fail_fast(std::string(operation) + " was called on a runtime that has threads of its own",
            "Build it with Builder().current_thread()");
}

}  // namespace

struct BlockOnScope::Parts {
  explicit Parts(const Ref<RuntimeCore>& runtime) : core(runtime), entered(*core) {
    if (CurrentThread* const current = core->current_thread()) {  // which is always active, but in its driver's sleep
      thread = make_ref<BlockedThread>(&core->reactor_driver());
      turn.emplace(*current);
    } else {
      thread = make_ref<BlockedThread>(core->keeper());
      activity.emplace(core->keeper());
    }
  }
  const Ref<RuntimeCore> core;  // stays, even if another thread destroys the Runtime meanwhile
  const EnteredRuntime entered;
  Ref<BlockedThread> thread;
  std::optional<Activity> activity;
  std::optional<CurrentThread::Turn> turn;
};

BlockOnScope::BlockOnScope(const Ref<RuntimeCore>& core)
    : parts_((require_idle_thread("block_on()"), std::make_unique<Parts>(core))) {}
BlockOnScope::~BlockOnScope() = default;

Waker BlockOnScope::waker() const noexcept { return make_waker(parts_->thread); }

void BlockOnScope::wait() {
  parts_->turn ? parts_->turn->run_until(parts_->thread->is_woken) : parts_->thread->parker.park();
}

// --- embedding

bool Runtime::run_once() {
  CurrentThread& current = required_current_thread(*core_, "run_once()");
  require_idle_thread("run_once()");
  const EnteredRuntime entered(*core_);
  return CurrentThread::Turn(current).run_once();
}

Result<int> Runtime::native_fd() {
  static_cast<void>(required_current_thread(*core_, "native_fd()"));
  return core_->reactor_driver().native_fd();
}

std::optional<Instant> Runtime::next_deadline() const noexcept {
  const Instant wake_at = required_current_thread(*core_, "next_deadline()").wake_at();
  return wake_at == Instant::max() ? std::nullopt : std::optional(wake_at);
}

// --- Handle

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
Options Handle::configuration() const { return core_->configuration(); }
Result<void> Handle::reconfigure(std::string_view key, std::string_view value, std::string_view by) const {
  return core_->reconfigure(key, value, by);
}
scheduler::Scheduler& Handle::scheduler() const noexcept { return core_->scheduler(); }
Result<void> Handle::set_workers(std::uint32_t count) const {
  return reconfigure("workers", std::to_string(count), "set_workers()");
}
Semaphore& Handle::blocking_admission() const noexcept { return core_->blocking_places().admission(); }
std::string Handle::control_address() const { return core_->control_address(); }
RuntimeCounters Handle::counters() const { return core_->counters(); }
Metrics Handle::metrics() const { return core_->metrics(); }
std::vector<SpawnSite> Handle::spawn_sites() const { return count_by_spawn_site(scheduler()); }
std::vector<TaskSnapshot> Handle::tasks(std::size_t most) const { return core_->tasks(most); }

}  // namespace skua
