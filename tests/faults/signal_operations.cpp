// Signals.
#include "fault_case.hpp"

#include <signal.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace skua::tests {

namespace {

using namespace std::chrono_literals;

constexpr int number = SIGUSR1;

Task<> listens(Bench& bench) {
  bench.start_faults();
  auto body = [&]() -> Task<bool> {
    Result<Signal> signal = Signal::listen(number);
    co_return bench.note(signal);
  };
  co_await eight_times(bench, body);
}

/// Sends the signal to itself, so that no thread is interrupted that might hold a lock of the plan's.
class Sender {
 public:
  Sender()
      : thread_([this] {
          sigset_t only_this;
          sigemptyset(&only_this);
          sigaddset(&only_this, number);
          ::pthread_sigmask(SIG_UNBLOCK, &only_this, nullptr);
          for (int sent = 0; !is_stopped_;) {
            if (sent < wanted_) {
              ::raise(number);
              ++sent;
            }
            std::this_thread::sleep_for(50us);
          }
        }) {}
  ~Sender() {
    is_stopped_ = true;
    thread_.join();
  }
  void send() noexcept { ++wanted_; }

 private:
  std::atomic<int> wanted_{0};
  std::atomic<bool> is_stopped_{false};
  std::thread thread_;
};

// Each is waited for before the next one is sent.
Task<> waits_for_signals(Bench& bench) {
  Signal signal = Signal::listen(number).value();
  Sender sender;
  bench.start_faults();
  auto body = [&]() -> Task<bool> {
    auto early = co_await select(signal.next(), sleep(200us));
    bench.expect(early.index() == 1, "a signal came that nobody had sent");
    sender.send();
    const Result<void> came = co_await signal.next();
    co_return bench.note(came);
  };
  co_await eight_times(bench, body);
}

}  // namespace

std::vector<OperationUnderTest> signal_operations() {
  // The process keeps what it has for a signal's first listener.
  static_cast<void>(Signal::listen(number));
  return {
      {.name = "signal_listen",
       .call = Call::fcntl,
       .reported_as = "listen for signal",
       .run = &listens,
       .retried = {},
       .impossible = {EINTR},
       .subject = "SIGUSR1"},
      {.name = "signal_next",
       .call = Call::ring_completion,
       .reported_as = "",
       .run = &waits_for_signals,
       .faults = {Fault(Fault::Kind::end_of_multishot), Fault(Fault::Kind::last), Fault(Fault::Kind::lost),
                  Fault(Fault::Kind::delay, 0, 0, 3ms)},
       .only_on = Backend::io_uring},
      {.name = "signal_next",
       .call = Call::epoll_wait,
       .reported_as = "",
       .run = &waits_for_signals,
       .zero = Answer::as_if_nothing_happened,
       .faults = {Fault(Fault::Kind::error, EINTR), Fault(Fault::Kind::error, ENOMEM), Fault(Fault::Kind::zero),
                  Fault(Fault::Kind::delay, 0, 0, 3ms)},
       .only_on = Backend::epoll},
  };
}

}  // namespace skua::tests
