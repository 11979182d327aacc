#include <skua/core/atomic.hpp>
#include <skua/core/kernel.hpp>
#include <skua/core/mutex.hpp>
#include <skua/signal/signal_name.hpp>
#include <skua/signal/signal_table.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

namespace skua {

namespace {

using Action = struct sigaction;

/// What was done about a signal before we came. Never changed, never freed.
struct Disposition {
  Action action;
  const Disposition* older;  // keeps it reachable, so that it is no leak
};

/// Whom the handler tells: the process, in the upper half, and its eventfd.
class Target {
 public:
  constexpr Target() = default;
  constexpr Target(pid_t process, int eventfd) noexcept
      : word_(std::uint64_t{static_cast<std::uint32_t>(process)} << 32 | static_cast<std::uint32_t>(eventfd)) {}
  bool is_of(pid_t process) const noexcept { return word_ >> 32 == static_cast<std::uint32_t>(process); }
  int eventfd() const noexcept { return static_cast<int>(static_cast<std::uint32_t>(word_)); }

 private:
  std::uint64_t word_ = 0;
};

struct Slot {
  // Read by the handler
  seam::Atomic<std::uint64_t> raised{0};
  seam::Atomic<Target> target{};
  seam::Atomic<const Disposition*> before{nullptr};
  // Guarded by table_mutex
  std::size_t listeners = 0;
};
static_assert(seam::Atomic<std::uint64_t>::is_always_lock_free && seam::Atomic<Target>::is_always_lock_free &&
              seam::Atomic<const Disposition*>::is_always_lock_free);

constinit seam::Mutex table_mutex;
constinit std::array<Slot, NSIG> table;

// The signal whose earlier handler this thread is just calling. It may call ours again, if that was the one before it.
// Initial-exec: no lazy allocation inside of a signal handler.
[[gnu::tls_model("initial-exec")]] constinit thread_local const Slot* calling_earlier_handler = nullptr;

void call_earlier_handler(const Slot& slot, int number, siginfo_t* info, void* context) noexcept {
  // [SG3] acquire: the record is complete; pairs with [SG4].
  const Disposition* const before = slot.before.load(std::memory_order_acquire);
  if (before == nullptr) return;
  const Slot* const outer = std::exchange(calling_earlier_handler, &slot);
  if ((before->action.sa_flags & SA_SIGINFO) != 0) {
    before->action.sa_sigaction(number, info, context);
  } else if (before->action.sa_handler != SIG_DFL && before->action.sa_handler != SIG_IGN) {
    before->action.sa_handler(number);
  }
  calling_earlier_handler = outer;
}

// In a process that was forked from ours, where nobody listens. What was there at the very first: a later handler may
// be one that calls ours. Writes nothing, for after vfork() this is the parent's memory.
void be_as_before(const Slot& slot, int number) noexcept {
  // [SG5] acquire: the records are complete; pairs with [SG4].
  const Disposition* first = slot.before.load(std::memory_order_acquire);
  if (first == nullptr) return;
  while (first->older != nullptr) first = first->older;
  kernel::sigaction(number, &first->action, nullptr);
  ::raise(number);  // comes once this handler has returned
}

void on_signal(int number, siginfo_t* info, void* context) noexcept {
  Slot& slot = table[static_cast<std::size_t>(number)];
  if (calling_earlier_handler == &slot) return;
  const int saved = errno;
  // [SG6] acquire: the eventfd is there; pairs with [SG7].
  const Target target = slot.target.load(std::memory_order_acquire);
  if (target.is_of(::getpid())) {
    // [SG1] release: what the thread that was interrupted has done; pairs with [SG2].
    slot.raised.fetch_add(1, std::memory_order_release);
    kernel::eventfd_signal(target.eventfd());
    call_earlier_handler(slot, number, info, context);
  } else {
    be_as_before(slot, number);
  }
  errno = saved;
}

bool is_ours(const Action& action) noexcept {
  return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == &on_signal;
}

bool is_same(const Action& one, const Action& other) noexcept {
  return one.sa_flags == other.sa_flags && one.sa_handler == other.sa_handler &&
         std::memcmp(&one.sa_mask, &other.sa_mask, sizeof one.sa_mask) == 0;
}

// relaxed: the mutex, which is held, orders those who write
void remember(Slot& slot, const Action& action) {
  const Disposition* const last = slot.before.load(std::memory_order_relaxed);
  if (last != nullptr && is_same(last->action, action)) return;
  // [SG4] release: pairs with [SG3] and [SG5].
  slot.before.store(new Disposition{action, last}, std::memory_order_release);
}

int install_handler(Slot& slot, int number) {
  Action current{};
  if (const int error = kernel::sigaction(number, nullptr, &current); error < 0) return error;
  if (is_ours(current)) return 0;
  remember(slot, current);
  Action ours{};
  ours.sa_sigaction = &on_signal;
  ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK | (current.sa_flags & (SA_NOCLDSTOP | SA_NOCLDWAIT));
  return kernel::sigaction(number, &ours, nullptr);
}

void restore_disposition(const Slot& slot, int number) noexcept {
  Action current{};
  if (kernel::sigaction(number, nullptr, &current) < 0 || !is_ours(current)) return;
  // relaxed: the mutex, which is held, orders those who write
  kernel::sigaction(number, &slot.before.load(std::memory_order_relaxed)->action, nullptr);
}

// The listeners of a process that we were forked from are not ours.
int adopt_slot(Slot& slot) {
  // relaxed: the mutex, which is held, orders those who write
  if (slot.target.load(std::memory_order_relaxed).is_of(::getpid())) return 0;
  const int eventfd = kernel::eventfd();
  if (eventfd < 0) return eventfd;
  slot.listeners = 0;
  // [SG7] release: pairs with [SG6].
  slot.target.store(Target(::getpid(), eventfd), std::memory_order_release);
  return 0;
}

Error refusal(int number, const char* why) {
  return Error(std::errc::invalid_argument, "listen for signal", signal_name(number).append(why));
}

}  // namespace

std::uint64_t signals_raised(int number) noexcept {
  // [SG2] acquire: what the thread that the signal interrupted had done; pairs with [SG1].
  return table[static_cast<std::size_t>(number)].raised.load(std::memory_order_acquire);
}

Result<SignalSubscription> SignalSubscription::make(int number) {
  if (number < 1 || number >= NSIG || (number > SIGSYS && number < SIGRTMIN)) {
    return refusal(number, ", of which there is none");
  }
  if (number == SIGKILL || number == SIGSTOP) return refusal(number, ", which cannot be caught");
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
    if (number == fault) return refusal(number, ", after which the thread that it hit cannot go on");
  }
  const seam::Lock lock(table_mutex);
  Slot& slot = table[static_cast<std::size_t>(number)];
  const std::uint64_t raised_before = signals_raised(number);
  int error = adopt_slot(slot);
  if (error == 0) error = install_handler(slot, number);
  if (error < 0) return system_error(-error, "listen for signal", signal_name(number));
  ++slot.listeners;
  return SignalSubscription(number, raised_before);
}

SignalSubscription::~SignalSubscription() {
  if (number_ == 0) return;
  const seam::Lock lock(table_mutex);
  Slot& slot = table[static_cast<std::size_t>(number_)];
  // relaxed: the mutex, which is held, orders those who write
  if (!slot.target.load(std::memory_order_relaxed).is_of(::getpid())) return;
  if (--slot.listeners == 0) restore_disposition(slot, number_);
}

Result<OwnedFd> SignalSubscription::descriptor() const {
  // relaxed: written before this subscription was made
  const Target target = table[static_cast<std::size_t>(number_)].target.load(std::memory_order_relaxed);
  const int fd = kernel::fcntl(target.eventfd(), F_DUPFD_CLOEXEC);
  if (fd < 0) return system_error(-fd, "listen for signal", signal_name(number_));
  return OwnedFd(fd);
}

}  // namespace skua
