// Driver: one poller and one timer wheel: where a thread sleeps, and what wakes it.
//
// Each worker owns a driver and sleeps in it when idle; the reactor thread has one for everybody else. Descriptors and
// timers belong to the driver of the thread that waited for them first. The owner turns the driver: park() when idle,
// look() while busy. If the owner is stuck in user code, the reactor thread turns it instead: harvest().
//
// One lock protects wheel, table of sources and the poller's queues. The owner does not hold it while it sleeps, so any
// thread may arm or cancel a timer or drop a descriptor meanwhile; a timer that is due before the sleeper's deadline
// wakes it: the deadline is written, and compared, under the lock. Wakers run after the lock is released.
//
// Invariants:
//  1. Before the owner sleeps, everything queued has been handed to the kernel (or will be offered again within a
//     millisecond), and sleep_until_ is not after the first timer.
//  2. A token names a slot and its generation: events for a descriptor that is gone find another generation.
//  3. A descriptor is closed only when the kernel reports nothing for it any more.
#pragma once

#include <skua/core/clock.hpp>
#include <skua/core/mutex.hpp>
#include <skua/core/park_token.hpp>
#include <skua/core/ref.hpp>
#include <skua/core/result.hpp>
#include <skua/core/timekeeper.hpp>
#include <skua/reactor/driver_metrics.hpp>
#include <skua/reactor/operation.hpp>
#include <skua/reactor/poller.hpp>
#include <skua/reactor/timer_wheel.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace skua::reactor {

class IoSource;

class Driver final : public RefCounted<Driver>, private PollSink, private Timekeeper::Follower {
 public:
  /// With a `keeper` its timers go by virtual time.
  explicit Driver(std::unique_ptr<Poller> poller, Ref<Timekeeper> keeper = nullptr);

  /// The driver of this thread: a worker's own, or that of the runtime entered by block_on(). Ends the program if there
  /// is none, and says what to do.
  static Driver& current();
  /// Whether current() would return.
  static bool has_current() noexcept;
  /// Makes `driver` this thread's (null: none), and returns what it was before.
  static Driver* set_current(Driver* driver) noexcept;

  // Owner
  /// Sleeps until wake(), an event, a timer, or `limit`; then wakes the tasks concerned.
  void park(Instant limit = Instant::max());
  /// Wakes the tasks whose timers have come, or events, of which it takes `most_events` at most; does not wait.
  void look(std::size_t most_events = events_a_look);
  /// The calling thread is the owner from now on; nobody may be another at the same time. Only for drivers whose owner
  /// may change: it must call this first. Errors: the system refuses a new ring.
  Result<void> take_over();

  // Owner, who sleeps not in park() but in a loop of others
  /// None: there was a wake(); look() again. Else the owner counts as asleep until end_sleep(), and has to be back when
  /// native_fd() is readable, or at the instant that is returned.
  [[nodiscard]] std::optional<Instant> begin_sleep(Instant limit = Instant::max());
  void end_sleep() noexcept {
    if (token_.end_sleep() && keeper_) keeper_->release();  // its waker has counted it as awake, and it never slept
  }
  Result<int> native_fd() {
    const seam::Lock lock(mutex_);
    return poller_->native_fd();
  }

  // Any thread
  /// Ends the owner's park(), or the next one.
  void wake() noexcept;
  /// On behalf of an owner that is stuck: fires what timers are due, and asks the kernel about each descriptor that
  /// somebody waits for. The poller's own events stay for the owner; an event that is noted twice does no harm. False:
  /// there was nobody to wake.
  bool harvest();
  const char* backend() const noexcept { return poller_->name(); }

  /// Who does the operations of this driver's threads. Requires set_operations().
  OperationExecutor& operations() noexcept;
  /// Once, before any thread uses the driver. To be shut down before the driver is.
  void set_operations(Ref<OperationExecutor> operations) noexcept { operations_ = std::move(operations); }

  /// Watches the source's descriptor from now on.
  Result<Token> register_source(IoSource& source);
  /// After IoSource::on_watch_ended(): tries once more.
  void watch_again(Token token);
  enum class Close : bool { no, yes };
  /// Forgets the source and closes `fd`, at once or when the kernel has let go of it; or leaves it to the caller, who
  /// may do with it at once whatever he likes (the kernel may hold the file for a moment longer).
  void deregister(Token token, int fd, Close close = Close::yes);

  /// `waker` is woken when `deadline` has come. Requires the entry to be idle or fired.
  void arm_timer(TimerEntry& entry, Instant deadline, const Waker& waker);
  /// As arm_timer() for an entry that may be armed: the waker is replaced. False: it has fired meanwhile.
  [[nodiscard]] bool replace_timer_waker(TimerEntry& entry, const Waker& waker);
  /// As arm_timer() with the waker that the entry has. False: the entry is not armed any more: it has fired meanwhile,
  /// or `deadline` has come, and the waker has been woken.
  [[nodiscard]] bool move_timer(TimerEntry& entry, Instant deadline);
  /// The timer will not touch the entry any more.
  void cancel_timer(TimerEntry& entry);

  /// Nobody turns the driver any more. Every timer fires, every waiter wakes; what is registered later fails.
  void shutdown();

  std::size_t armed_timers();
  /// Descriptors that are watched, or that the kernel has not let go of.
  std::size_t registered_sources();
  DriverMetrics metrics();

 private:
  friend class RefCounted<Driver>;
  ~Driver();

  // Timekeeper::Follower
  bool wake_ready() override { return harvest(); }
  Instant first_deadline() override;
  void look_again() noexcept override { wake(); }

  Instant now() const { return keeper_ ? keeper_->now() : seam::now(); }
  /// When the first timer ends the owner's sleep, in real time.
  Instant end_of_sleep() SKUA_REQUIRES(mutex_);
  /// The owner sleeps, and for too long.
  bool is_before_end_of_sleep(Instant deadline) const SKUA_REQUIRES(mutex_);

  struct Slot {
    IoSource* source = nullptr;  // null: free, or waiting for its last event
    int fd = -1;                 // -1 while closing: not ours to close
    std::uint32_t generation = 0;
    bool watched = false;  // the kernel will report a last event
    bool closing = false;
  };

  /// At most wakers_a_round timers; true: more are due.
  bool fire_timers(std::vector<Waker>& woken) SKUA_REQUIRES(mutex_);
  /// Asks about some descriptors, from slot `first` on; returns where to go on, or the number of slots.
  std::size_t scan(std::size_t first, std::vector<Waker>& woken) SKUA_REQUIRES(mutex_);
  bool is_asleep() const noexcept SKUA_REQUIRES(mutex_) { return sleep_until_ != Instant::min(); }
  void on_event(const PollEvent& event) override;
  void on_loss() override;
  void free_slot(std::uint32_t index) SKUA_REQUIRES(mutex_);
  Slot* find(Token token) SKUA_REQUIRES(mutex_);

  static constexpr std::size_t events_a_look = 256;
  static constexpr std::size_t wakers_a_round = 256;
  static constexpr Duration submit_again_after = std::chrono::milliseconds(1);
  static constexpr std::size_t descriptors_a_scan = 256;

  // Constant after construction
  const std::unique_ptr<Poller> poller_;
  const Ref<Timekeeper> keeper_;
  Ref<OperationExecutor> operations_;  // from set_operations() on
  // Any thread
  ParkToken token_;
  // Guarded by mutex_
  seam::Mutex mutex_;
  TimerWheel wheel_ SKUA_GUARDED_BY(mutex_);
  Instant sleep_until_ SKUA_GUARDED_BY(mutex_) = Instant::min();  // min: the owner is awake
  std::vector<Slot> slots_ SKUA_GUARDED_BY(mutex_);
  std::vector<std::uint32_t> free_slots_ SKUA_GUARDED_BY(mutex_);
  std::vector<Waker>* woken_ SKUA_GUARDED_BY(mutex_) = nullptr;  // where on_event() puts wakers
  std::vector<int> released_ SKUA_GUARDED_BY(mutex_);            // descriptors to be closed once the lock is released
  bool shut_down_ SKUA_GUARDED_BY(mutex_) = false;
  DriverMetrics counted_ SKUA_GUARDED_BY(mutex_);  // those that are counted
};

}  // namespace skua::reactor
