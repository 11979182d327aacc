// The blocking pool by itself: its threads, its limits, and a system that has no thread left.
#include <skua/blocking/blocking_pool.hpp>
#include <skua/core/random.hpp>

#include "../support/probe.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <latch>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

// The production bodies of the thread seam, behind one that refuses.
#define start_thread real_start_thread
#include <skua/core/thread.cpp>
#undef start_thread

namespace skua {

namespace {
std::atomic<int> threads_to_refuse{0};
std::atomic<bool> refused_for_memory{false};
std::atomic<int> threads_started{0};
}  // namespace

std::thread seam::start_thread(std::string name, std::function<void()> body) {
  if (threads_to_refuse.load() > 0) {
    threads_to_refuse.fetch_sub(1);
    if (refused_for_memory) throw std::bad_alloc();
    throw std::system_error(EAGAIN, std::generic_category(), "pthread_create");
  }
  threads_started.fetch_add(1);
  return real_start_thread(std::move(name), std::move(body));
}

namespace tests {
namespace {

using namespace std::chrono_literals;

class Call final : public reactor::Operation {
 public:
  explicit Call(std::function<void()> function = {}) : function_(std::move(function)) {}
  int perform() noexcept override {
    performed.fetch_add(1);
    if (function_) function_();
    return 1;
  }
  /// What it was completed with; none if it was not.
  std::optional<int> result() {
    CountedContext context;
    Poll<int> now = poll(context.waker());
    return now.is_ready() ? std::optional(now.value()) : std::nullopt;
  }
  std::atomic<int> performed{0};

 private:
  const std::function<void()> function_;
};

class blocking_pool : public testing::Test {
 protected:
  void SetUp() override {
    seam::Thread("first", [] {}).join();  // with the first thread, thread sanitizer starts one of its own
    threads_to_refuse = 0;
    refused_for_memory = false;
    threads_started = 0;
    threads_ = running_threads();
  }
  void make(std::uint32_t most, Duration keep_alive) {
    pool_ = make_ref<BlockingPool>(most, keep_alive, [this] { entered_.fetch_add(1); });
  }
  void TearDown() override {
    if (pool_) pool_->shutdown();
    EXPECT_TRUE(eventually([&] { return running_threads() == threads_; })) << running_threads();
    EXPECT_EQ(entered_, threads_started) << "each thread enters the runtime once";
  }
  std::size_t threads_ = 0;
  std::atomic<int> entered_{0};
  Ref<BlockingPool> pool_;
};

TEST_F(blocking_pool, idle_threads_end_and_come_back) {
  make(4, 1ms);
  for (int round = 0; round < 20; ++round) {
    std::vector<Ref<Call>> calls;
    for (int i = 0; i < 8; ++i) pool_->submit(calls.emplace_back(make_ref<Call>()));
    for (const auto& call : calls) ASSERT_TRUE(eventually([&] { return call->result() == 1; }));
    ASSERT_TRUE(eventually([&] { return running_threads() == threads_; }));
  }
}

TEST_F(blocking_pool, thread_that_is_idle_is_used_again) {
  make(4, 1h);
  for (int i = 0; i < 100; ++i) {
    const auto call = make_ref<Call>();
    pool_->submit(call);
    ASSERT_TRUE(eventually([&] { return call->result() == 1; }));
  }
  // The thread that completed a call may not have gone idle before the next call came: not always one thread.
  EXPECT_LE(threads_started, 4);
}

// A submission at the cap, while the only thread goes idle and its time passes.
TEST_F(blocking_pool, calls_at_the_cap_while_threads_come_and_go) {
  for (const std::uint32_t most : {1U, 2U}) {
    make(most, 1ms);
    seam::Random random(most);
    const int rounds = scaled(8'000, 2'000);
    for (int round = 0; round < rounds; ++round) {
      std::vector<Ref<Call>> calls;
      for (std::uint32_t i = 0; i < 2; ++i) pool_->submit(calls.emplace_back(make_ref<Call>()));
      for (const auto& call : calls) ASSERT_TRUE(eventually([&] { return call->result() == 1; })) << round;
      if (round % 16 == 0) std::this_thread::sleep_for(1ms + std::chrono::microseconds(random.below(200)));
    }
    EXPECT_GT(threads_started, 10) << "none ended for being idle, and nothing was tested";
    pool_->shutdown();
  }
}

TEST_F(blocking_pool, each_call_is_performed_once_or_cancelled) {
  make(3, 0ms);
  std::atomic<int> performed{0};
  std::atomic<int> unfinished{0};
  const int count = scaled(10'000, 1'000);
  std::vector<std::thread> submitters;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    submitters.emplace_back([&, seed] {
      seam::Random random(seed);
      std::vector<Ref<Call>> calls;
      for (int i = 0; i < count; ++i) {
        auto& executor = pool_->submit(calls.emplace_back(make_ref<Call>([&] { performed.fetch_add(1); })));
        if (random.below(3) == 0) executor.cancel(*calls[random.below(static_cast<std::uint32_t>(calls.size()))]);
      }
      for (const auto& call : calls) {
        const bool ended = eventually([&] { return call->result().has_value(); });
        const int expected = call->result() == 1 ? 1 : 0;
        if (!ended || call->performed != expected) unfinished.fetch_add(1);
      }
    });
  }
  for (std::thread& submitter : submitters) submitter.join();
  EXPECT_EQ(unfinished, 0);
  EXPECT_GT(performed, 0);
}

TEST_F(blocking_pool, without_any_thread_a_call_fails) {
  for (const bool memory : {false, true}) {
    make(4, 1h);
    refused_for_memory = memory;
    threads_to_refuse = 1;
    const auto refused = make_ref<Call>();
    pool_->submit(refused);
    EXPECT_EQ(refused->result(), -EAGAIN);
    EXPECT_EQ(refused->performed, 0);
    const auto next = make_ref<Call>();
    pool_->submit(next);
    EXPECT_TRUE(eventually([&] { return next->result() == 1; }));
    pool_->shutdown();
  }
}

TEST_F(blocking_pool, without_another_thread_a_call_waits_for_one_there_is) {
  make(4, 1h);
  std::latch release(1);
  const auto holding = make_ref<Call>([&] { release.wait(); });
  pool_->submit(holding);
  threads_to_refuse = 1;
  const auto waiting = make_ref<Call>();
  pool_->submit(waiting);
  EXPECT_EQ(threads_to_refuse, 0);
  EXPECT_EQ(waiting->result(), std::nullopt);
  release.count_down();
  EXPECT_TRUE(eventually([&] { return waiting->result() == 1; }));
}

TEST_F(blocking_pool, shutdown_waits_for_what_has_begun_and_cancels_the_rest) {
  make(1, 1h);
  std::latch begun(1);
  const auto slow = make_ref<Call>([&] {
    begun.count_down();
    std::this_thread::sleep_for(20ms);
  });
  const auto waiting = make_ref<Call>();
  pool_->submit(slow);
  pool_->submit(waiting);
  begun.wait();
  pool_->shutdown();
  EXPECT_EQ(slow->result(), 1);
  EXPECT_EQ(waiting->result(), -ECANCELED);
  const auto late = make_ref<Call>();
  pool_->submit(late);
  EXPECT_EQ(late->result(), -ECANCELED);
  EXPECT_EQ(waiting->performed + late->performed, 0);
}

TEST_F(blocking_pool, higher_limit_starts_threads_for_what_waits) {
  make(1, 1h);
  std::latch all(3);
  std::vector<Ref<Call>> calls;
  for (int i = 0; i < 3; ++i) pool_->submit(calls.emplace_back(make_ref<Call>([&] { all.arrive_and_wait(); })));
  EXPECT_EQ(threads_started, 1);
  pool_->set_limits(3, 1h);
  for (const auto& call : calls) EXPECT_TRUE(eventually([&] { return call->result() == 1; }));
  EXPECT_EQ(threads_started, 3);
}

TEST_F(blocking_pool, higher_limit_without_another_thread) {
  make(1, 1h);
  std::latch begun(1);
  std::latch release(1);
  const auto holding = make_ref<Call>([&] {
    begun.count_down();
    release.wait();
  });
  const auto waiting = make_ref<Call>();
  pool_->submit(holding);
  begun.wait();
  pool_->submit(waiting);
  threads_to_refuse = 1;
  pool_->set_limits(3, 1h);
  EXPECT_EQ(threads_to_refuse, 0);
  EXPECT_EQ(waiting->result(), std::nullopt) << "it waits for the thread there is";
  release.count_down();
  EXPECT_TRUE(eventually([&] { return waiting->result() == 1; }));
}

TEST_F(blocking_pool, lower_limit_ends_threads_that_are_idle) {
  make(4, 1h);
  std::latch all(4);
  std::vector<Ref<Call>> calls;
  for (int i = 0; i < 4; ++i) pool_->submit(calls.emplace_back(make_ref<Call>([&] { all.arrive_and_wait(); })));
  for (const auto& call : calls) ASSERT_TRUE(eventually([&] { return call->result() == 1; }));
  EXPECT_EQ(running_threads(), threads_ + 4);
  pool_->set_limits(1, 1h);
  EXPECT_TRUE(eventually([&] { return running_threads() == threads_ + 1; })) << running_threads() - threads_;
  const auto after = make_ref<Call>();
  pool_->submit(after);
  EXPECT_TRUE(eventually([&] { return after->result() == 1; }));
  EXPECT_EQ(threads_started, 4);
}

TEST_F(blocking_pool, lower_limit_holds_while_calls_keep_coming) {
  make(3, 1h);
  std::latch begun(3);
  std::latch release(1);
  std::atomic<int> at_once{0};
  std::atomic<int> most_at_once{0};
  std::vector<Ref<Call>> calls;
  const auto hold = [&] {
    begun.count_down();
    release.wait();
  };
  const auto count = [&] {
    const int now = at_once.fetch_add(1) + 1;
    if (now > most_at_once) most_at_once = now;
    std::this_thread::yield();
    at_once.fetch_sub(1);
  };
  for (int i = 0; i < 3; ++i) pool_->submit(calls.emplace_back(make_ref<Call>(hold)));
  begun.wait();
  for (int i = 0; i < 200; ++i) pool_->submit(calls.emplace_back(make_ref<Call>(count)));
  pool_->set_limits(1, 1h);
  release.count_down();
  for (const auto& call : calls) ASSERT_TRUE(eventually([&] { return call->result() == 1; }));
  EXPECT_EQ(most_at_once, 1);
  EXPECT_TRUE(eventually([&] { return running_threads() == threads_ + 1; })) << running_threads() - threads_;
}

TEST_F(blocking_pool, shorter_time_holds_for_threads_that_are_idle) {
  make(1, 1h);
  const auto call = make_ref<Call>();
  pool_->submit(call);
  ASSERT_TRUE(eventually([&] { return call->result() == 1; }));
  pool_->set_limits(1, 0ms);
  EXPECT_TRUE(eventually([&] { return running_threads() == threads_; }));
}

TEST_F(blocking_pool, limits_that_change_all_the_time) {
  make(1, 0ms);
  std::atomic<bool> done{false};
  std::thread changer([&] {
    seam::Random random(1);
    while (!done) {
      pool_->set_limits(1 + random.below(4), random.below(2) == 0 ? Duration(0ms) : Duration(1h));
      if (random.below(4) == 0) std::this_thread::sleep_for(std::chrono::microseconds(random.below(200)));
    }
  });
  const int rounds = scaled(2'000, 200);
  for (int round = 0; round < rounds; ++round) {
    std::vector<Ref<Call>> calls;
    for (int i = 0; i < 5; ++i) pool_->submit(calls.emplace_back(make_ref<Call>()));
    for (const auto& call : calls) ASSERT_TRUE(eventually([&] { return call->result() == 1; })) << round;
  }
  done = true;
  changer.join();
}

}  // namespace
}  // namespace tests
}  // namespace skua
