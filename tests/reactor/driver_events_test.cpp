// What a driver makes of what its poller reports: reports that a kernel rarely makes, or never when a test wants them.
#include <skua/reactor/driver.hpp>
#include <skua/reactor/io_source.hpp>
#include <skua/reactor/wait_failure.hpp>

#include "../support/probe.hpp"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

namespace skua::reactor {

using namespace tests;

namespace {

/// Reports what it is told to, and counts.
class ScriptedPoller final : public Poller {
 public:
  struct Script {
    std::vector<PollEvent> events;
    bool loses_events = false;
    std::vector<Token> armed;
    std::vector<Token> disarmed;
  };
  explicit ScriptedPoller(Script& script) noexcept : script_(script) {}

  const char* name() const noexcept override { return "scripted"; }
  int arm(int, Token token) override {
    script_.armed.push_back(token);
    return 0;
  }
  bool disarm(int, Token token) override {
    script_.disarmed.push_back(token);
    return false;
  }
  bool flush() override { return true; }
  void wait(std::optional<Duration>) override {}
  void reap(PollSink& sink, std::size_t) override {
    if (std::exchange(script_.loses_events, false)) sink.on_loss();
    for (const PollEvent& event : std::exchange(script_.events, {})) sink.on_event(event);
  }
  void signal() noexcept override {}

 private:
  Script& script_;
};

class driver_events : public testing::Test {
 protected:
  void SetUp() override { before_ = Driver::set_current(driver_.get()); }
  void TearDown() override {
    driver_->shutdown();
    Driver::set_current(before_);
  }

  /// As a read does that would block. False: nobody waits.
  bool waits() {
    source_->would_block(Direction::read, source_->snapshot(Direction::read));
    const auto is_ready = source_->wait_ready(Direction::read, waiter_, context_.waker());
    return is_ready && !*is_ready;
  }
  void report(std::uint32_t mask, bool last, int error = 0) {
    script_.events.push_back({.token = script_.armed.front(), .mask = mask, .last = last, .error = error});
    driver_->look();
  }

  ScriptedPoller::Script script_;
  Ref<Driver> driver_ = make_ref<Driver>(std::make_unique<ScriptedPoller>(script_));
  Driver* before_ = nullptr;
  CountedContext context_;
  const Ref<IoSource> source_ = make_ref<IoSource>(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  IoSource::Waiter waiter_{*source_};
};

TEST_F(driver_events, a_watch_that_ends_begins_again_at_once) {
  ASSERT_TRUE(waits());
  report(EPOLLIN, true);
  EXPECT_EQ(context_.wakes(), 1);
  EXPECT_EQ(script_.armed.size(), 2u);
}

// A FIFO whose last writer has gone: armed at once, it would end at once, again and again.
TEST_F(driver_events, a_watch_that_ends_with_a_hang_up_begins_again_when_somebody_waits) {
  ASSERT_TRUE(waits());
  report(EPOLLHUP, true);
  EXPECT_EQ(context_.wakes(), 1);
  EXPECT_TRUE(Readiness::is_closed(source_->snapshot(Direction::read)));
  EXPECT_EQ(script_.armed.size(), 1u);
  // Another writer has opened it.
  ASSERT_TRUE(waits());
  EXPECT_EQ(script_.armed.size(), 2u);
  report(EPOLLIN, false);
  EXPECT_EQ(context_.wakes(), 2);
}

TEST_F(driver_events, a_watch_that_fails_is_reported_once_and_begins_again) {
  ASSERT_TRUE(waits());
  report(0, true, ENOMEM);
  EXPECT_EQ(context_.wakes(), 1);
  const auto refused = source_->wait_ready(Direction::read, waiter_, context_.waker());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), std::errc::not_enough_memory);
  EXPECT_EQ(script_.armed.size(), 1u);
  ASSERT_TRUE(waits());
  EXPECT_EQ(script_.armed.size(), 2u);
}

TEST_F(driver_events, after_a_loss_every_watch_is_ended_and_begins_again) {
  ASSERT_TRUE(waits());
  script_.loses_events = true;
  driver_->look();
  EXPECT_EQ(script_.disarmed, script_.armed);
  report(0, true);
  EXPECT_EQ(script_.armed.size(), 2u);
}

// --- Waits that fail

TEST(wait_failure, whoever_waits_in_vain_pauses_but_not_longer_than_he_would_have_waited) {
  const Instant begin = seam::now();
  pause_after_failed_wait("epoll_wait", ENOMEM, std::nullopt);
  EXPECT_GE(seam::now() - begin, std::chrono::milliseconds(1));
  pause_after_failed_wait("epoll_wait", ENOMEM, Duration::zero());  // returns
}

TEST(wait_failure_death_test, a_closed_descriptor_ends_the_program) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(pause_after_failed_wait("epoll_wait", EBADF, std::nullopt),
               "descriptor was closed: epoll_wait: Bad file descriptor.*close\\(\\)");
}

}  // namespace
}  // namespace skua::reactor
