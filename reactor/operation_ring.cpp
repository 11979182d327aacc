#include <skua/core/kernel.hpp>
#include <skua/core/log.hpp>
#include <skua/core/thread.hpp>
#include <skua/core/wake.hpp>
#include <skua/reactor/driver.hpp>
#include <skua/reactor/io_source.hpp>
#include <skua/reactor/operation_ring.hpp>
#include <skua/reactor/ring.hpp>

#include <fcntl.h>
#include <liburing.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <cerrno>
#include <new>
#include <span>
#include <utility>
#include <vector>

namespace skua::reactor {

namespace {

constexpr std::uint64_t ignored = ~std::uint64_t{0};  // user_data of a cancel request
constexpr Duration submit_again_after = std::chrono::milliseconds(1);
constexpr Duration cancel_again_after = std::chrono::milliseconds(10);

constexpr unsigned most_retries = 8;  // of an operation that is interrupted again and again

constexpr std::uint64_t make_token(std::uint32_t slot, std::uint32_t generation) noexcept {
  return (std::uint64_t{generation} << 32) | slot;
}

// The kernel may take it later.
bool is_temporary(int error) noexcept {
  return error == -EAGAIN || error == -EBUSY || error == -EINTR || error == -ENOMEM;
}

// Ended before it was done. 512 to 516 are the kernel's own words for "call it again" (ERESTARTSYS and its kin), which
// it lets slip into completions.
bool was_disturbed(int result) noexcept {
  return result == -ECANCELED || result == -EINTR || (result <= -512 && result >= -516);
}

/// Meanwhile sources that this thread waits for are watched by `driver`.
class WatchedBy {
 public:
  explicit WatchedBy(Driver& driver) noexcept : before_(Driver::set_current(&driver)) {}
  ~WatchedBy() { Driver::set_current(before_); }
  WatchedBy(const WatchedBy&) = delete;
  WatchedBy& operator=(const WatchedBy&) = delete;

 private:
  Driver* const before_;
};

/// A write that the kernel does while it is submitted may send a signal to the submitting thread, by default the end of
/// the program: SIGXFSZ beyond RLIMIT_FSIZE, SIGPIPE into a FIFO that nobody reads. The operation fails as well, which
/// is enough. Threads of the runtime have all signals blocked.
class WriteSignalsBlocked {
 public:
  WriteSignalsBlocked() noexcept : is_foreign_(!seam::Thread::is_current()) {
    if (!is_foreign_) return;
    sigemptyset(&set_);
    for (const int signal : {SIGXFSZ, SIGPIPE}) sigaddset(&set_, signal);
    kernel::thread_signal_mask(SIG_BLOCK, &set_, &before_);
  }
  ~WriteSignalsBlocked() {
    if (!is_foreign_) return;
    // Who has blocked one himself may have one of his own pending, and is not hurt by another.
    for (const int signal : {SIGXFSZ, SIGPIPE}) {
      if (sigismember(&before_, signal) == 1) sigdelset(&set_, signal);
    }
    while (kernel::take_pending_signal(&set_) > 0) {
    }
    kernel::thread_signal_mask(SIG_SETMASK, &before_, nullptr);
  }
  WriteSignalsBlocked(const WriteSignalsBlocked&) = delete;
  WriteSignalsBlocked& operator=(const WriteSignalsBlocked&) = delete;

 private:
  const bool is_foreign_;
  sigset_t set_;
  sigset_t before_;
};

void log_refusal(int error) noexcept try {
  static seam::Atomic<bool> was_logged{false};
  // relaxed: one of the threads that get here is the first, whichever
  if (was_logged.exchange(true, std::memory_order_relaxed)) return;
  log(LogLevel::warning, system_error(-error, "io_uring for files is refused; threads do their operations").message());
} catch (const std::bad_alloc&) {  // unsaid
}

class OperationRing final : public OperationExecutor {
 public:
  OperationRing(const OperationRingOptions& options, Ref<OperationExecutor> threads, Driver& home)
      : options_(options), threads_(std::move(threads)), home_(home) {}
  ~OperationRing() override {
    if (has_ring_) ring::tear_down(ring_);
  }

  OperationExecutor& submit(Ref<Operation> operation) noexcept override;
  void cancel(Operation& operation) noexcept override;
  void shutdown() override;
  std::size_t unfinished() noexcept override {
    return unfinished_.load(std::memory_order_relaxed);  // relaxed: a number for reports
  }

  /// Completions wait in the ring, or it is time to submit again.
  void wake() noexcept;

 private:
  enum class State { unused, open, refused, shut_down };
  struct Slot {
    Ref<Operation> operation;
    std::uint32_t generation = 0;
  };
  /// What is to be done once the lock is released.
  struct Leaving {
    OperationList completed;  // with the result that each notes
    OperationList refused;    // threads do them
  };

  void open() noexcept SKUA_REQUIRES(mutex_);
  int set_up() SKUA_REQUIRES(mutex_);
  int watch() SKUA_REQUIRES(mutex_);
  void make_slots() SKUA_REQUIRES(mutex_);

  bool can_do(Operation& operation) const SKUA_REQUIRES(mutex_);
  bool is_in_flight(const Operation& operation) const SKUA_REQUIRES(mutex_);
  const Slot* find(std::uint64_t token) const SKUA_REQUIRES(mutex_);
  void turn(Leaving& leaving) SKUA_REQUIRES(mutex_);
  void start_waiting(Leaving& leaving) SKUA_REQUIRES(mutex_);
  /// Null: the kernel takes nothing now.
  io_uring_sqe* next_entry(Leaving& leaving) SKUA_REQUIRES(mutex_);
  void prepare(io_uring_sqe& entry, Ref<Operation> operation) SKUA_REQUIRES(mutex_);
  void prepare_cancel(std::uint64_t token, int flags, Leaving& leaving) SKUA_REQUIRES(mutex_);
  void submit_entries(Leaving& leaving) SKUA_REQUIRES(mutex_);
  void take_back_entries(Leaving& leaving) SKUA_REQUIRES(mutex_);
  void retry_soon() SKUA_REQUIRES(mutex_);
  void reap(Leaving& leaving) SKUA_REQUIRES(mutex_);
  void on_completion(const ring::Completion& completion, Leaving& leaving) SKUA_REQUIRES(mutex_);
  Ref<Operation> take_from_slot(std::uint64_t token) SKUA_REQUIRES(mutex_);
  void end_all(Leaving& leaving) SKUA_REQUIRES(mutex_);
  static void leave(OperationList& list, Ref<Operation> operation, int result) noexcept;

  void dispatch(Leaving& leaving) noexcept;
  void count(int change) noexcept {
    unfinished_.fetch_add(static_cast<std::size_t>(change), std::memory_order_relaxed);  // relaxed: see unfinished()
  }
  void close();
  Waker waker() noexcept;

  const OperationRingOptions options_;
  const Ref<OperationExecutor> threads_;
  Driver& home_;  // to be used until shutdown() alone
  seam::Atomic<std::size_t> unfinished_{0};
  seam::Mutex mutex_;
  State state_ SKUA_GUARDED_BY(mutex_) = State::unused;
  bool has_ring_ SKUA_GUARDED_BY(mutex_) = false;
  io_uring ring_ SKUA_GUARDED_BY(mutex_){};
  std::bitset<256> supported_ SKUA_GUARDED_BY(mutex_);
  std::vector<Slot> slots_ SKUA_GUARDED_BY(mutex_);
  std::vector<std::uint32_t> free_slots_ SKUA_GUARDED_BY(mutex_);
  std::uint32_t in_flight_ SKUA_GUARDED_BY(mutex_) = 0;
  OperationList waiting_ SKUA_GUARDED_BY(mutex_);
  bool retry_is_armed_ SKUA_GUARDED_BY(mutex_) = false;  // the kernel has not taken what lies in the submission queue
  // Set by open(); the source has a lock of its own
  Ref<Driver> driver_;
  Ref<IoSource> source_;
  std::optional<IoSource::Waiter> waiter_;
  TimerEntry retry_;
};

// --- any thread

OperationExecutor& OperationRing::submit(Ref<Operation> operation) noexcept {
  Leaving leaving;
  {
    const seam::Lock lock(mutex_);
    if (state_ == State::unused) open();
    if (state_ == State::shut_down) {
      count(1);
      leave(leaving.completed, std::move(operation), -ECANCELED);
    } else if (state_ == State::open && can_do(*operation)) {
      count(1);
      waiting_.push(std::move(operation));
      turn(leaving);
    }
  }
  if (operation) return threads_->submit(std::move(operation));
  dispatch(leaving);
  return *this;
}

void OperationRing::cancel(Operation& operation) noexcept {
  bool is_ours = true;
  Leaving leaving;
  {
    const seam::Lock lock(mutex_);
    if (Ref<Operation> waiting = waiting_.remove(operation)) {
      leave(leaving.completed, std::move(waiting), -ECANCELED);
    } else if (is_in_flight(operation)) {
      operation.notes.is_cancelled = true;
      prepare_cancel(operation.notes.token, 0, leaving);
    } else {
      is_ours = false;
    }
  }
  dispatch(leaving);
  if (!is_ours) threads_->cancel(operation);  // they have it if the kernel refused it
}

void OperationRing::wake() noexcept {
  for (;;) {
    const auto seen = source_->snapshot(Direction::read);
    Leaving leaving;
    {
      const seam::Lock lock(mutex_);
      if (state_ == State::shut_down) return;
      if (retry_.has_fired()) retry_is_armed_ = false;
      reap(leaving);
      turn(leaving);
    }
    dispatch(leaving);
    if (Readiness::is_closed(seen)) return;  // the driver has been shut down
    source_->clear(Direction::read, seen);
    // Enlisted again: what completes from now on is another event.
    const Result<bool> is_ready = source_->wait_ready(Direction::read, *waiter_, waker());
    if (!is_ready) {  // not watched any more
      const seam::Lock lock(mutex_);
      if (state_ != State::shut_down) retry_soon();
    }
    if (!is_ready || !*is_ready) return;
  }
}

void OperationRing::shutdown() {
  Leaving leaving;
  {
    const seam::Lock lock(mutex_);
    while (Ref<Operation> waiting = waiting_.pop()) leave(leaving.completed, std::move(waiting), -ECANCELED);
    if (has_ring_) end_all(leaving);
    state_ = State::shut_down;
  }
  dispatch(leaving);
  close();
}

void OperationRing::end_all(Leaving& leaving) {
  take_back_entries(leaving);
  while (Ref<Operation> untaken = leaving.refused.pop()) leave(leaving.completed, std::move(untaken), -ECANCELED);
  for (const Slot& slot : slots_) {
    if (slot.operation) slot.operation->notes.is_cancelled = true;
  }
  // Nothing but completions can end this: until then the kernel may write to the operations' memory. It is asked again
  // and again to cancel them: the request may not have been taken, and misses what is between two states.
  for (reap(leaving); in_flight_ != 0; reap(leaving)) {
    prepare_cancel(0, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL, leaving);
    reap(leaving);  // also the answer to that, which would end the wait
    if (in_flight_ == 0) return;
    const int entered = ring::wait(ring_, cancel_again_after);
    if (entered < 0 && entered != -EINTR && entered != -ETIME) kernel::sleep(submit_again_after);
  }
}

void OperationRing::close() {
  waiter_.reset();
  source_ = nullptr;
  if (driver_) driver_->cancel_timer(retry_);
  driver_ = nullptr;
}

// Without the lock: wakers and discard() may submit and cancel.
void OperationRing::dispatch(Leaving& leaving) noexcept {
  while (const Ref<Operation> operation = leaving.completed.pop()) {
    count(-1);
    operation->complete(operation->notes.result);
  }
  while (Ref<Operation> operation = leaving.refused.pop()) {
    count(-1);
    threads_->submit(std::move(operation));
  }
}

Waker OperationRing::waker() noexcept { return make_waker(Ref<OperationRing>::share(this)); }

// --- set-up

void OperationRing::open() noexcept {
  int error = 0;
  try {
    error = set_up();
  } catch (const std::bad_alloc&) {
    error = -ENOMEM;
  }
  if (error == 0) {
    state_ = State::open;
    return;
  }
  close();
  if (std::exchange(has_ring_, false)) ring::tear_down(ring_);
  state_ = State::refused;
  log_refusal(error);
}

int OperationRing::set_up() {
  io_uring_params params{};
  params.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL;
  params.cq_entries = std::max(options_.completion_entries, options_.submission_entries);
  if (const int error = ring::set_up(ring_, options_.submission_entries, params); error < 0) return error;
  has_ring_ = true;
  ring::limit_threads(ring_, options_.most_threads);  // refused: the kernel's own limit holds
  ring::probe(ring_, supported_);                     // refused: threads do everything
  make_slots();
  return watch();
}

// All that there can be: from now on nothing allocates, and no operation is lost by that.
void OperationRing::make_slots() {
  slots_.resize(options_.completion_entries);
  free_slots_.reserve(slots_.size());
  for (auto index = options_.completion_entries; index != 0; --index) free_slots_.push_back(index - 1);
}

// A second descriptor of the ring is watched: the driver closes what it watches, liburing what it made.
int OperationRing::watch() {
  const int fd = kernel::fcntl(ring_.ring_fd, F_DUPFD_CLOEXEC);
  if (fd < 0) return fd;
  // The first operation may come from any thread: that which lets go of a file last has it closed here.
  const WatchedBy home(home_);
  driver_ = Ref<Driver>::share(&home_);
  source_ = make_ref<IoSource>(fd);
  waiter_.emplace(*source_);
  source_->clear(Direction::read, source_->snapshot(Direction::read));  // there is nothing in it yet
  const Result<bool> is_ready = source_->wait_ready(Direction::read, *waiter_, waker());
  return is_ready ? 0 : -is_ready.error().code().value();
}

// --- under the lock

bool OperationRing::can_do(Operation& operation) const {
  const auto request = operation.submission();
  return request && supported_.test(request->opcode);
}

bool OperationRing::is_in_flight(const Operation& operation) const {
  const Slot* const slot = find(operation.notes.token);
  return slot != nullptr && slot->operation.get() == &operation;
}

const OperationRing::Slot* OperationRing::find(std::uint64_t token) const {
  const auto index = static_cast<std::uint32_t>(token);
  if (index >= slots_.size() || slots_[index].generation != token >> 32) return nullptr;
  return &slots_[index];
}

// Until none waits that could be in flight: only a completion that is still to come brings us back here. (What has been
// reaped already is no event: the kernel looks whether there is one when it reports it.)
void OperationRing::turn(Leaving& leaving) {
  do {
    start_waiting(leaving);
    reap(leaving);
  } while (!waiting_.is_empty() && in_flight_ < options_.completion_entries && !retry_is_armed_);
}

void OperationRing::start_waiting(Leaving& leaving) {
  while (!waiting_.is_empty() && in_flight_ < options_.completion_entries) {
    io_uring_sqe* const entry = next_entry(leaving);
    if (entry == nullptr) return;
    prepare(*entry, waiting_.pop());
  }
  submit_entries(leaving);
}

io_uring_sqe* OperationRing::next_entry(Leaving& leaving) {
  if (io_uring_sqe* const entry = io_uring_get_sqe(&ring_)) return entry;
  submit_entries(leaving);
  return state_ == State::open ? io_uring_get_sqe(&ring_) : nullptr;
}

void OperationRing::prepare(io_uring_sqe& entry, Ref<Operation> operation) {
  const Submission request = operation->submission().value();
  io_uring_prep_rw(request.opcode, &entry, request.fd, nullptr, request.len, request.off);
  entry.addr = request.addr;
  entry.rw_flags = static_cast<int>(request.op_flags);
  const std::uint32_t index = free_slots_.back();
  free_slots_.pop_back();
  operation->notes.token = make_token(index, slots_[index].generation);
  entry.user_data = operation->notes.token;
  slots_[index].operation = std::move(operation);
  ++in_flight_;
}

void OperationRing::prepare_cancel(std::uint64_t token, int flags, Leaving& leaving) {
  io_uring_sqe* const entry = next_entry(leaving);
  if (entry == nullptr) return;  // the operation then takes its time
  io_uring_prep_cancel64(entry, token, flags);
  entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
  entry->user_data = ignored;
  submit_entries(leaving);
}

void OperationRing::submit_entries(Leaving& leaving) {
  if (io_uring_sq_ready(&ring_) == 0) return;
  const WriteSignalsBlocked blocked;
  while (io_uring_sq_ready(&ring_) != 0) {
    const int submitted = ring::submit(ring_);
    if (submitted > 0) continue;
    if (submitted == 0 || is_temporary(submitted)) {
      retry_soon();
    } else {
      take_back_entries(leaving);
      state_ = State::refused;
      log_refusal(submitted);
    }
    return;
  }
}

// With the lock held: the driver does not wake us in there, for it is shut down after us.
void OperationRing::retry_soon() {
  if (std::exchange(retry_is_armed_, true)) return;
  driver_->arm_timer(retry_, seam::now() + submit_again_after, waker());
}

// What the kernel has not taken lies between its head and our tail.
void OperationRing::take_back_entries(Leaving& leaving) {
  const unsigned head = IO_URING_READ_ONCE(*ring_.sq.khead);
  for (unsigned i = head; i != ring_.sq.sqe_tail; ++i) {
    if (Ref<Operation> operation = take_from_slot(ring_.sq.sqes[i & ring_.sq.ring_mask].user_data)) {
      leaving.refused.push(std::move(operation));
    }
  }
  ring_.sq.sqe_head = ring_.sq.sqe_tail = head;
  io_uring_smp_store_release(ring_.sq.ktail, head);
}

void OperationRing::reap(Leaving& leaving) {
  std::array<ring::Completion, 64> completions;
  for (;;) {
    if (ring::keeps_some_back(ring_)) ring::fetch(ring_);
    const std::size_t count = ring::take(ring_, completions);
    if (count == 0) return;
    for (const ring::Completion& completion : std::span(completions).first(count)) on_completion(completion, leaving);
  }
}

void OperationRing::on_completion(const ring::Completion& completion, Leaving& leaving) {
  Ref<Operation> operation = take_from_slot(completion.user_data);
  if (!operation) return;  // of a cancel request
  const bool is_disturbed = was_disturbed(completion.result);
  if (is_disturbed && !operation->notes.is_cancelled && operation->notes.retries++ < most_retries) {
    waiting_.push(std::move(operation));
  } else {
    leave(leaving.completed, std::move(operation), is_disturbed ? -ECANCELED : completion.result);
  }
}

Ref<Operation> OperationRing::take_from_slot(std::uint64_t token) {
  if (find(token) == nullptr) return nullptr;
  const auto index = static_cast<std::uint32_t>(token);
  Ref<Operation> operation = std::move(slots_[index].operation);
  if (!operation) return nullptr;
  ++slots_[index].generation;
  free_slots_.push_back(index);
  --in_flight_;
  return operation;
}

void OperationRing::leave(OperationList& list, Ref<Operation> operation, int result) noexcept {
  operation->notes.result = result;
  list.push(std::move(operation));
}

}  // namespace

Ref<OperationExecutor> make_operation_ring(const OperationRingOptions& options, Ref<OperationExecutor> threads,
                                           Driver& driver) {
  return make_ref<OperationRing>(options, std::move(threads), driver);
}

}  // namespace skua::reactor
