// The plan itself: what it is told it does, once, and it says so.
#include <skua/core/kernel.hpp>
#include <skua/core/thread.hpp>
#include <skua/reactor/ring.hpp>

#include "../support/probe.hpp"
#include "fault_plan.hpp"
#include "late_completions.hpp"

#include <gtest/gtest.h>
#include <liburing.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <system_error>

namespace skua::tests {
namespace {

using namespace std::chrono_literals;

class fault_plan : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_), 0); }
  void TearDown() override {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  void send(std::string_view text) { EXPECT_EQ(::send(ends_[1], text.data(), text.size(), 0), std::ssize(text)); }
  ssize_t recv() { return kernel::recv(ends_[0], buffer_.data(), buffer_.size(), 0); }

  int ends_[2] = {-1, -1};
  std::array<char, 16> buffer_{};
};

TEST_F(fault_plan, without_a_plan_calls_are_real) {
  send("abc");
  EXPECT_EQ(recv(), 3);
  EXPECT_EQ(recv(), -EAGAIN);
}

TEST_F(fault_plan, only_the_nth_call_fails_and_does_nothing) {
  FaultPlan plan;
  plan.on(Call::recv).nth(2).fails(EIO);
  send("abc");
  EXPECT_EQ(recv(), 3);
  send("def");
  EXPECT_EQ(plan.delivered(), 0);
  EXPECT_EQ(recv(), -EIO);
  EXPECT_EQ(plan.delivered(), 1);
  EXPECT_EQ(recv(), 3);
  EXPECT_EQ(std::string_view(buffer_.data(), 3), "def");
  EXPECT_EQ(plan.delivered(Call::recv), 1);
  EXPECT_EQ(plan.delivered(Call::send), 0);
  EXPECT_EQ(plan.calls(Call::recv), 3u);
}

TEST_F(fault_plan, only_calls_on_the_descriptor_fail_and_count) {
  FaultPlan plan;
  plan.on(Call::recv).fd(ends_[0]).nth(2).fails(EIO);
  EXPECT_EQ(kernel::recv(ends_[1], buffer_.data(), buffer_.size(), 0), -EAGAIN);
  EXPECT_EQ(recv(), -EAGAIN);
  EXPECT_EQ(kernel::recv(ends_[1], buffer_.data(), buffer_.size(), 0), -EAGAIN);
  EXPECT_EQ(recv(), -EIO);
}

TEST_F(fault_plan, always_lasts_until_it_is_lifted) {
  FaultPlan plan;
  plan.on(Call::recv).always().fails(EIO);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(recv(), -EIO);
  plan.lift();
  EXPECT_EQ(recv(), -EAGAIN);
  EXPECT_EQ(plan.delivered(), 5);
  EXPECT_EQ(plan.calls(Call::recv), 6u);
}

TEST_F(fault_plan, transfers_are_cut) {
  FaultPlan plan;
  plan.on(Call::recv).nth(1).takes(1);
  plan.on(Call::recv).nth(1).takes_all_but(3);  // of the next: the first rule has taken the call
  plan.on(Call::recv).nth(1).returns_zero();
  send("abcdefgh");
  EXPECT_EQ(recv(), 1);
  EXPECT_EQ(recv(), 7);  // a buffer of 16 less 3 holds them all
  send("ij");
  EXPECT_EQ(recv(), 0);
  EXPECT_EQ(recv(), 2);
  EXPECT_EQ(plan.delivered(), 3);
}

TEST_F(fault_plan, messages_are_cut_across_their_parts) {
  FaultPlan plan;
  plan.on(Call::sendmsg).takes_all_but(2);
  char text[] = "abcdef";
  std::array<iovec, 3> parts = {iovec{text, 2}, iovec{text + 2, 3}, iovec{text + 5, 1}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  EXPECT_EQ(kernel::sendmsg(ends_[1], &message, 0), 4);
  EXPECT_EQ(recv(), 4);
  EXPECT_EQ(std::string_view(buffer_.data(), 4), "abcd");
}

// The call that repeats itself is interrupted below the repetition: the plan sees one call, which succeeds.
TEST_F(fault_plan, an_interrupted_call_is_repeated_by_itself) {
  FaultPlan plan;
  plan.on(Call::recv).nth(1).fails(EINTR);
  send("abc");
  EXPECT_EQ(recv(), 3);
  EXPECT_EQ(plan.calls(Call::recv), 1u);
  EXPECT_EQ(plan.delivered(), 1);
}

TEST_F(fault_plan, an_interrupted_call_that_is_not_repeated_says_so) {
  FaultPlan plan;
  plan.on(Call::shutdown).fails(EINTR);
  EXPECT_EQ(kernel::shutdown(ends_[1], SHUT_WR), -EINTR);
  EXPECT_EQ(recv(), 0) << "and has been made";
}

TEST_F(fault_plan, close_closes_whatever_it_says) {
  FaultPlan plan;
  plan.on(Call::close).fails(EIO);
  const std::size_t before = open_descriptors();
  EXPECT_EQ(kernel::close(::dup(ends_[0])), -EIO);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(fault_plan, a_late_call_is_late) {
  FaultPlan plan;
  plan.on(Call::recv).nth(1).is_late(5ms);
  const Instant begin = seam::now();
  EXPECT_EQ(recv(), -EAGAIN);
  EXPECT_GE(seam::now() - begin, 5ms);
}

// What a call cannot suffer is not counted as delivered.
TEST_F(fault_plan, an_impossible_fault_is_not_delivered) {
  FaultPlan plan;
  plan.on(Call::listen).takes(1);
  EXPECT_EQ(kernel::listen(ends_[0], 1), -EINVAL);  // has no name
  EXPECT_EQ(plan.delivered(), 0);
}

TEST_F(fault_plan, the_second_thread_cannot_be_started) {
  FaultPlan plan;
  plan.on(Call::start_thread).nth(2).fails(EAGAIN);
  seam::Thread first("first", [] {});
  EXPECT_THROW(seam::Thread("second", [] {}), std::system_error);
  first.join();
  EXPECT_EQ(plan.delivered(), 1);
}

TEST(fault_plan_death_test, there_is_one_at_a_time) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const FaultPlan plan;
  EXPECT_DEATH(FaultPlan(), "two fault plans at once");
}

// --- Rings

class faulty_ring : public testing::Test {
 protected:
  void SetUp() override {
    io_uring_params params{};
    if (reactor::ring::set_up(ring_, 8, params) < 0) GTEST_SKIP() << "io_uring is refused here";
    is_set_up_ = true;
    event_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  }
  void TearDown() override {
    if (!is_set_up_) return;
    reactor::ring::tear_down(ring_);
    ::close(event_);
  }

  void request_nop(std::uint64_t user_data) {
    io_uring_sqe* const entry = io_uring_get_sqe(&ring_);
    io_uring_prep_nop(entry);
    entry->user_data = user_data;
  }
  void request_poll(std::uint64_t user_data) {
    io_uring_sqe* const entry = io_uring_get_sqe(&ring_);
    io_uring_prep_poll_multishot(entry, event_, POLLIN);
    entry->user_data = user_data;
  }
  /// The next completion; waits for it.
  std::optional<reactor::ring::Completion> next() {
    const Instant end = seam::now() + watchdog;
    std::array<reactor::ring::Completion, 1> one;
    while (reactor::ring::take(ring_, one) == 0) {
      if (seam::now() >= end) return std::nullopt;
      reactor::ring::wait(ring_, 100ms);
    }
    return one[0];
  }
  bool is_empty() {
    std::array<reactor::ring::Completion, 1> one;
    reactor::ring::wait(ring_, 5ms);
    return reactor::ring::take(ring_, one) == 0;
  }

  io_uring ring_{};
  bool is_set_up_ = false;
  int event_ = -1;
};

TEST_F(faulty_ring, a_part_of_the_requests_is_taken) {
  FaultPlan plan;
  plan.on(Call::ring_submit).nth(1).takes_all_but(1);
  plan.on(Call::ring_submit).nth(1).returns_zero();
  for (const std::uint64_t user_data : {1u, 2u, 3u}) request_nop(user_data);
  EXPECT_EQ(reactor::ring::submit(ring_), 2);
  EXPECT_EQ(io_uring_sq_ready(&ring_), 1u);
  EXPECT_EQ(reactor::ring::submit(ring_), 0);
  EXPECT_EQ(io_uring_sq_ready(&ring_), 1u);
  EXPECT_EQ(reactor::ring::submit(ring_), 1);
  for (const std::uint64_t user_data : {1u, 2u, 3u}) EXPECT_EQ(next()->user_data, user_data);
  EXPECT_EQ(plan.delivered(), 2);
}

TEST_F(faulty_ring, a_failed_request_is_not_done) {
  FaultPlan plan;
  plan.on(Call::ring_request).fd(event_).fails(EIO);
  const std::uint64_t one = 1;
  io_uring_sqe* const entry = io_uring_get_sqe(&ring_);
  io_uring_prep_write(entry, event_, &one, sizeof one, 0);
  entry->user_data = 7;
  EXPECT_EQ(reactor::ring::submit(ring_), 1);
  const auto completion = next();
  ASSERT_TRUE(completion);
  EXPECT_EQ(completion->user_data, 7u);
  EXPECT_EQ(completion->result, -EIO);
  std::uint64_t count = 0;
  EXPECT_EQ(::read(event_, &count, sizeof count), -1) << "the eventfd was written to";
}

TEST_F(faulty_ring, an_ended_multishot_request_has_ended) {
  FaultPlan plan;
  plan.on(Call::ring_completion).fd(event_).nth(1).ends_multishot();
  request_poll(7);
  EXPECT_EQ(reactor::ring::submit(ring_), 1);
  ASSERT_EQ(::eventfd_write(event_, 1), 0);
  const auto completion = next();
  ASSERT_TRUE(completion);
  EXPECT_EQ(completion->user_data, 7u);
  EXPECT_EQ(completion->result, POLLIN);
  EXPECT_EQ(completion->flags & IORING_CQE_F_MORE, 0u);
  ASSERT_EQ(::eventfd_write(event_, 1), 0);
  EXPECT_TRUE(is_empty()) << "the kernel still polls, or has told of the end twice";
  EXPECT_EQ(plan.delivered(), 1);
}

TEST_F(faulty_ring, a_lost_completion_ends_its_request_and_is_told_of_once) {
  FaultPlan plan;
  plan.on(Call::ring_completion).fd(event_).nth(1).is_lost();
  request_poll(7);
  EXPECT_EQ(reactor::ring::submit(ring_), 1);
  ASSERT_EQ(::eventfd_write(event_, 1), 0);
  EXPECT_TRUE(is_empty());
  EXPECT_EQ(reactor::ring::wait(ring_, 1ms), -EBADR);
  EXPECT_EQ(reactor::ring::wait(ring_, 1ms), -ETIME);
  ASSERT_EQ(::eventfd_write(event_, 1), 0);
  EXPECT_TRUE(is_empty()) << "the kernel still polls, or has told of the end";
  EXPECT_EQ(plan.delivered(), 1);
}

TEST_F(faulty_ring, a_late_completion_wakes_who_waits_for_it) {
  if (!LateCompletions::are_possible()) GTEST_SKIP() << "needs Linux 6.3";
  FaultPlan plan;
  plan.on(Call::ring_completion).nth(1).is_late(20ms);
  request_nop(1);
  request_nop(2);
  EXPECT_EQ(reactor::ring::submit(ring_), 2);
  const Instant begin = seam::now();
  EXPECT_EQ(next()->user_data, 2u);
  EXPECT_EQ(next()->user_data, 1u);
  EXPECT_GE(seam::now() - begin, 15ms);
  EXPECT_EQ(plan.delivered(), 1);
}

TEST_F(faulty_ring, completions_change_places) {
  FaultPlan plan;
  plan.on(Call::ring_completion).nth(1).is_last();
  for (const std::uint64_t user_data : {1u, 2u, 3u}) request_nop(user_data);
  EXPECT_EQ(reactor::ring::submit(ring_), 3);
  std::array<reactor::ring::Completion, 8> all;
  ASSERT_EQ(reactor::ring::take(ring_, all), 3u);
  EXPECT_EQ(all[0].user_data, 2u);
  EXPECT_EQ(all[1].user_data, 3u);
  EXPECT_EQ(all[2].user_data, 1u);
}

TEST_F(faulty_ring, it_can_be_refused) {
  FaultPlan plan;
  plan.on(Call::ring_set_up).nth(1).fails(EPERM);
  plan.on(Call::ring_enable).fails(EACCES);
  plan.on(Call::ring_wait).nth(1).fails(EBUSY);
  plan.on(Call::ring_probe).nth(1).fails(EINVAL);
  io_uring other{};
  io_uring_params params{};
  EXPECT_EQ(reactor::ring::set_up(other, 8, params), -EPERM);
  EXPECT_EQ(reactor::ring::enable(ring_), -EACCES);
  EXPECT_EQ(reactor::ring::wait(ring_, 1ms), -EBUSY);
  EXPECT_EQ(reactor::ring::wait(ring_, 1ms), -ETIME);
  std::bitset<256> supported;
  EXPECT_EQ(reactor::ring::probe(ring_, supported), -EINVAL);
  EXPECT_EQ(reactor::ring::probe(ring_, supported), 0);
  EXPECT_TRUE(supported.test(IORING_OP_POLL_ADD));
}

}  // namespace
}  // namespace skua::tests
