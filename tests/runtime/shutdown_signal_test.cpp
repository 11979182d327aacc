// StopSignals and shutdown_signal(), each in a process of its own.
#include "each_runtime.hpp"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

namespace skua::tests {
namespace {

using namespace std::chrono_literals;

class stop_signals : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};
INSTANTIATE_TEST_SUITE_P(by, stop_signals, testing::Values(SIGINT, SIGTERM),
                         [](const auto& number) { return std::string(number.param == SIGINT ? "SIGINT" : "SIGTERM"); });

/// As from an interactive shell: a test that runs in the background has SIGINT ignored.
Runtime runtime_with_usual_signals() {
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  return Builder().workers(1).build().value();
}

Task<CancelReason> told() { co_return co_await shutdown_signal().cancelled(); }

void send(int number) { ::kill(::getpid(), number); }

TEST_P(stop_signals, first_one_cancels_the_token) {
  EXPECT_EXIT(
      {
        Runtime runtime = runtime_with_usual_signals();
        auto waiting = runtime.spawn(StopSignals::wait(StopSignals::listen().value()));
        send(GetParam());
        const bool is_shutdown = runtime.block_on(told()) == CancelReason::shutdown;
        const bool is_over = runtime.block_on(std::move(waiting)).value().has_value();
        ::_exit(is_shutdown && is_over ? 7 : 1);
      },
      testing::ExitedWithCode(7), "");
}

TEST_P(stop_signals, second_one_ends_the_program) {
  EXPECT_EXIT(
      {
        Runtime runtime = runtime_with_usual_signals();
        auto waiting = runtime.spawn(StopSignals::wait(StopSignals::listen().value()));
        send(SIGTERM);
        runtime.block_on(told());
        send(GetParam());
        ::sleep(10);
        ::_exit(1);
      },
      testing::KilledBySignal(GetParam()), "");
}

TEST_P(stop_signals, dropped_wait_listens_no_more) {
  EXPECT_EXIT(
      {
        Runtime runtime = runtime_with_usual_signals();
        auto waiting = runtime.spawn(StopSignals::wait(StopSignals::listen().value()));
        waiting.abort();
        if (runtime.block_on(std::move(waiting)).has_value()) ::_exit(1);
        send(GetParam());
        ::sleep(10);
        ::_exit(1);
      },
      testing::KilledBySignal(GetParam()), "");
}

}  // namespace
}  // namespace skua::tests
