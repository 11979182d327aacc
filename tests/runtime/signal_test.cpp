// Signals: what listeners get, and what becomes of the process's dispositions.
#include "each_runtime.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>
#include <vector>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

class signals : public EachRuntime {};
INSTANTIATE_TEST_SUITE_P(on, signals, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

void send(int number) { ASSERT_EQ(::kill(::getpid(), number), 0); }

/// A disposition for one scope.
class ScopedAction {
 public:
  ScopedAction(int number, void (*handler)(int), int flags = 0) : number_(number) {
    struct sigaction action{};
    action.sa_handler = handler;
    action.sa_flags = flags;
    ::sigaction(number, &action, &before_);
  }
  ~ScopedAction() { ::sigaction(number_, &before_, nullptr); }
  ScopedAction(const ScopedAction&) = delete;
  ScopedAction& operator=(const ScopedAction&) = delete;
  const struct sigaction& before() const { return before_; }

 private:
  int number_;
  struct sigaction before_{};
};

struct sigaction disposition(int number) {
  struct sigaction current{};
  ::sigaction(number, nullptr, &current);
  return current;
}

/// Forks a process that sends itself SIGUSR1; the signal that ended it, or 0.
int signal_that_ends_a_forked_process() {
  const pid_t child = ::fork();
  if (child == 0) {
    ::kill(::getpid(), SIGUSR1);
    ::_exit(0);
  }
  for (int i = 0; i < 1000; ++i) {
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child) return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    ::poll(nullptr, 0, 10);
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  return -1;
}

/// Polls a future once: its output, if it has one at once.
template <class F>
class PolledOnce {
 public:
  explicit PolledOnce(F future) : future_(std::move(future)) {}
  Poll<bool> poll(Context& context) { return future_.poll(context).is_ready(); }

 private:
  F future_;
};

/// Ready when the signal comes, which may be a moment after it was sent: a driver has to look.
Task<bool> next_comes(Signal& signal) {
  const Result<void> came = co_await signal.next();
  co_return came.has_value();
}

/// Whether it has come, as far as is known. A listener that has just been made, or has just been told, knows.
Task<bool> next_is_ready(Signal& signal) {
  PolledOnce once(signal.next());
  co_return co_await once;
}

/// Tells how many listeners are waiting or about to.
Task<bool> wait_once(Signal signal, std::atomic<int>& started) {
  started.fetch_add(1);
  const Result<void> came = co_await signal.next();
  co_return came.has_value();
}

Signal listen(int number) { return Signal::listen(number).value(); }

TEST_P(signals, wake_a_listener_that_waits) {
  std::atomic<int> started{0};
  auto waiting = runtime_->spawn(wait_once(listen(SIGUSR1), started));
  ASSERT_TRUE(eventually([&] { return started.load() == 1; }));
  send(SIGUSR1);
  auto came = await_within(waiting);
  ASSERT_TRUE(came);
  EXPECT_TRUE(std::move(*came).value());
}

TEST_P(signals, wait_for_a_listener_that_looks_later) {
  Signal signal = listen(SIGUSR1);
  send(SIGUSR1);
  EXPECT_TRUE(run(next_comes(signal)));
}

TEST_P(signals, reach_every_listener) {
  std::atomic<int> started{0};
  std::vector<JoinHandle<bool>> waiting;
  for (int i = 0; i < 5; ++i) waiting.push_back(runtime_->spawn(wait_once(listen(SIGUSR1), started)));
  ASSERT_TRUE(eventually([&] { return started.load() == 5; }));
  send(SIGUSR1);
  for (auto& one : waiting) {
    auto came = await_within(one);
    ASSERT_TRUE(came);
    EXPECT_TRUE(std::move(*came).value());
  }
}

TEST_P(signals, reach_listeners_of_several_runtimes) {
  std::atomic<int> started{0};
  std::vector<Runtime> others;
  for (const Backend backend : {Backend::automatic, Backend::epoll}) {
    others.push_back(Builder().workers(1).backend(backend).build().value());
  }
  std::vector<JoinHandle<bool>> waiting;
  waiting.push_back(runtime_->spawn(wait_once(listen(SIGUSR1), started)));
  for (Runtime& other : others) waiting.push_back(other.spawn(wait_once(listen(SIGUSR1), started)));
  std::thread foreign([&] { EXPECT_TRUE(others[0].block_on(wait_once(listen(SIGUSR1), started))); });
  ASSERT_TRUE(eventually([&] { return started.load() == 4; }));
  send(SIGUSR1);
  for (auto& one : waiting) {
    auto came = await_within(one);
    ASSERT_TRUE(came);
    EXPECT_TRUE(std::move(*came).value());
  }
  foreign.join();
}

TEST_P(signals, are_told_apart) {
  Signal first = listen(SIGUSR1);
  Signal second = listen(SIGUSR2);
  send(SIGUSR2);
  EXPECT_FALSE(run(next_is_ready(first)));
  EXPECT_TRUE(run(next_comes(second)));
}

TEST_P(signals, that_come_together_are_one) {
  Signal signal = listen(SIGUSR1);
  Signal other = listen(SIGUSR1);
  for (int i = 0; i < 5; ++i) send(SIGUSR1);
  EXPECT_TRUE(run(next_comes(signal)));
  EXPECT_FALSE(run(next_is_ready(signal)));
  EXPECT_TRUE(run(next_comes(other)));
  send(SIGUSR1);
  EXPECT_TRUE(run(next_comes(signal)));
}

TEST_P(signals, before_listening_do_not_count) {
  const ScopedAction ignored(SIGUSR1, SIG_IGN);
  {
    const Signal earlier = listen(SIGUSR1);
    send(SIGUSR1);
  }
  Signal signal = listen(SIGUSR1);
  EXPECT_FALSE(run(next_is_ready(signal)));
}

TEST_P(signals, of_real_time_are_signals_too) {
  Signal signal = listen(SIGRTMIN + 3);
  send(SIGRTMIN + 3);
  EXPECT_TRUE(run(next_comes(signal)));
}

Task<std::size_t> count_until(Signal signal, const std::atomic<bool>& last_is_sent) {
  for (std::size_t count = 1;; ++count) {
    (co_await signal.next()).value();
    if (last_is_sent.load()) co_return count;
  }
}

// Whoever misses the last signal waits for ever.
TEST_P(signals, storm_and_the_last_one_is_not_lost) {
  constexpr int senders = 4;
  constexpr int each = scaled(25'000, 2'500);
  std::atomic<bool> last_is_sent{false};
  const Signal kept = listen(SIGUSR1);  // when the others have ended, what still comes must not end the program
  std::vector<JoinHandle<std::size_t>> counting;
  for (int i = 0; i < 3; ++i) counting.push_back(runtime_->spawn(count_until(listen(SIGUSR1), last_is_sent)));
  std::vector<std::thread> threads;
  for (int i = 0; i < senders; ++i) {
    threads.emplace_back([] {
      for (int n = 0; n < each; ++n) ::kill(::getpid(), SIGUSR1);
    });
  }
  for (auto& thread : threads) thread.join();
  last_is_sent.store(true);
  send(SIGUSR1);
  for (auto& counter : counting) {
    auto counted = await_within(counter);
    ASSERT_TRUE(counted) << "a listener missed the last signal";
    const std::size_t count = std::move(*counted).value();
    EXPECT_GE(count, 1u);
    EXPECT_LE(count, static_cast<std::size_t>(senders * each + 1)) << "more than were sent";
  }
}

// --- Which thread is interrupted ------------------------------------------------------------------------------------

TEST_P(signals, may_interrupt_any_thread_that_lets_them_through) {
  std::atomic<bool> stop{false};
  std::thread older([&] {
    while (!stop.load()) ::poll(nullptr, 0, 1);
  });
  sigset_t only, before;
  ::sigemptyset(&only);
  ::sigaddset(&only, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &only, &before);
  {
    auto runtime = build(GetParam()).value();
    std::atomic<int> started{0};
    auto waiting = runtime.spawn(wait_once(listen(SIGUSR1), started));
    ASSERT_TRUE(eventually([&] { return started.load() == 1; }));
    send(SIGUSR1);
    EXPECT_TRUE(await_within(waiting).has_value());
  }
  stop.store(true);
  older.join();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// --- Dispositions ---------------------------------------------------------------------------------------------------

std::atomic<int> calls{0};
void count_call(int) {
  calls.fetch_add(1);
  errno = EIO;
}

TEST_P(signals, dispositions_come_back_with_the_last_listener) {
  for (auto* const handler : {SIG_DFL, SIG_IGN, &count_call}) {
    const ScopedAction earlier(SIGUSR2, handler, SA_NODEFER);
    {
      const Signal first = listen(SIGUSR2);
      {
        const Signal second = listen(SIGUSR2);
      }
      EXPECT_NE(disposition(SIGUSR2).sa_handler, handler) << "the first one still listens";
    }
    EXPECT_EQ(disposition(SIGUSR2).sa_handler, handler);
    EXPECT_EQ(disposition(SIGUSR2).sa_flags & SA_NODEFER, SA_NODEFER);
  }
}

TEST_P(signals, earlier_handler_is_called_too_and_errno_stays) {
  const ScopedAction earlier(SIGUSR1, &count_call);
  Signal signal = listen(SIGUSR1);
  const int before = calls.load();
  errno = ENOTTY;
  ::raise(SIGUSR1);
  const int after = errno;
  EXPECT_EQ(after, ENOTTY);
  EXPECT_EQ(calls.load(), before + 1);
  EXPECT_TRUE(run(next_comes(signal)));
}

struct sigaction replaced;
void call_replaced(int number) {
  calls.fetch_add(1);
  replaced.sa_sigaction(number, nullptr, nullptr);
}

TEST_P(signals, handler_that_calls_ours_is_not_called_for_ever) {
  if (thread_sanitized) GTEST_SKIP() << "thread sanitizer calls no handlers after fork()";
  const ScopedAction as_at_first(SIGUSR1, SIG_DFL);
  Signal first = listen(SIGUSR1);
  replaced = disposition(SIGUSR1);
  const ScopedAction between(SIGUSR1, &call_replaced);
  {
    Signal second = listen(SIGUSR1);
    const int before = calls.load();
    send(SIGUSR1);
    ASSERT_TRUE(eventually([&] { return calls.load() != before; }));
    EXPECT_EQ(calls.load(), before + 1);
    EXPECT_TRUE(run(next_comes(first)));
    EXPECT_TRUE(run(next_comes(second)));
    EXPECT_FALSE(run(next_is_ready(first)));
    EXPECT_EQ(signal_that_ends_a_forked_process(), SIGUSR1);
  }
}

TEST_P(signals, handler_that_replaced_ours_stays) {
  const ScopedAction as_at_first(SIGUSR1, SIG_DFL);
  {
    const Signal signal = listen(SIGUSR1);
    struct sigaction other{};
    other.sa_handler = &count_call;
    ::sigaction(SIGUSR1, &other, nullptr);
  }
  EXPECT_EQ(disposition(SIGUSR1).sa_handler, &count_call);
}

TEST_P(signals, do_to_a_forked_process_what_they_did_before) {
  if (thread_sanitized) GTEST_SKIP() << "thread sanitizer calls no handlers after fork()";
  Signal signal = listen(SIGUSR1);
  EXPECT_EQ(signal_that_ends_a_forked_process(), SIGUSR1);
  EXPECT_FALSE(run(next_is_ready(signal))) << "the child counted for its parent";
}

TEST_P(signals, can_be_listened_for_in_a_forked_process) {
  if (thread_sanitized) GTEST_SKIP() << "thread sanitizer calls no handlers after fork()";
  const Signal of_the_parent = listen(SIGUSR1);
  const pid_t child = ::fork();
  if (child == 0) {
    Result<Signal> signal = Signal::listen(SIGUSR1);
    ::kill(::getpid(), SIGUSR1);
    CountedContext context;
    ::_exit(signal && signal->next().poll(context).is_ready() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

Task<bool> interrupt_once() {
  auto interrupted = ctrl_c();
  co_await select(interrupted, yield_now());  // its first poll: from now on it listens
  ::kill(::getpid(), SIGINT);
  const Result<void> came = co_await interrupted;
  co_return came.has_value();
}

TEST_P(signals, ctrl_c_is_waited_for_once) {
  const ScopedAction usual(SIGINT, SIG_DFL);
  EXPECT_TRUE(run(interrupt_once()));
  EXPECT_TRUE(eventually([&] { return disposition(SIGINT).sa_handler == SIG_DFL; })) << "the next ^C must end us";
}

// The handler is there before listen() has returned: what comes in between ends nobody, so it must be told.
TEST_P(signals, during_listening_count) {
  const ScopedAction usual(SIGINT, SIG_DFL);
  for (int i = 0; i < scaled(300, 30); ++i) {
    auto interrupted = runtime_->spawn(ctrl_c());
    while (disposition(SIGINT).sa_handler == SIG_DFL) std::this_thread::yield();
    send(SIGINT);
    ASSERT_TRUE(await_within(interrupted)) << "in round " << i;
    ASSERT_TRUE(eventually([&] { return disposition(SIGINT).sa_handler == SIG_DFL; }));
  }
}

TEST_P(signals, that_cannot_be_waited_for_are_refused) {
  for (const int number : {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, 0, -1, 32, 33, 65, 1000}) {
    const auto signal = Signal::listen(number);
    ASSERT_FALSE(signal) << number;
    EXPECT_EQ(signal.error(), std::errc::invalid_argument);
  }
  EXPECT_EQ(Signal::listen(SIGKILL).error().message(),
            "listen for signal SIGKILL, which cannot be caught: Invalid argument");
  EXPECT_EQ(Signal::listen(99).error().message(),
            "listen for signal signal 99, of which there is none: Invalid argument");
}

// --- Nothing is left behind -----------------------------------------------------------------------------------------

Task<void> listen_and_drop(int rounds) {
  for (int i = 0; i < rounds; ++i) {
    Signal signal = listen(SIGUSR1);
    // Dropped while it waits, or after it was ready: whichever comes first.
    co_await select(signal.next(), yield_now());
  }
}

TEST_P(signals, leave_no_descriptors) {
  const ScopedAction ignored(SIGUSR1, SIG_IGN);
  std::atomic<bool> stop{false};
  run(listen_and_drop(1));
  const std::size_t before = open_descriptors();
  std::thread sender([&] {
    while (!stop.load()) ::kill(::getpid(), SIGUSR1);
  });
  std::vector<JoinHandle<void>> tasks;
  for (int i = 0; i < 4; ++i) tasks.push_back(runtime_->spawn(listen_and_drop(scaled(1000, 100))));
  for (auto& task : tasks) EXPECT_TRUE(await_within(task, 60s).has_value());
  stop.store(true);
  sender.join();
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= before; })) << open_descriptors() << " were " << before;
  EXPECT_EQ(disposition(SIGUSR1).sa_handler, SIG_IGN);
}

}  // namespace

}  // namespace skua::tests
