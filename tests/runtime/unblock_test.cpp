// unblock() and the pool behind it.
#include "each_runtime.hpp"

#include <skua/blocking/unblock.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <latch>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace skua::tests {
namespace {

using namespace std::chrono_literals;

class Unblock : public EachRuntime {};

int answer() { return 42; }
void nothing() {}
Result<std::string> refusal() { return Error(std::errc::permission_denied, "look", "/secret"); }
int throwing() { throw std::runtime_error("from the pool"); }

Task<Result<int>> await_answer() { co_return co_await unblock(answer); }
Task<Result<void>> await_nothing() { co_return co_await unblock(nothing); }
Task<Result<std::string>> await_refusal() { co_return co_await unblock(refusal); }
Task<Result<int>> await_throwing() { co_return co_await unblock(throwing); }

TEST_P(Unblock, value_result_and_exception_come_back) {
  EXPECT_EQ(run(await_answer()).value(), 42);
  EXPECT_TRUE(run(await_nothing()));
  const auto refused = run(await_refusal());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(), "look /secret: Permission denied");
  EXPECT_THROW(std::ignore = run(await_throwing()), std::runtime_error);
}

struct ThreadIds {
  void note() {
    const seam::Lock lock(mutex);
    ids.insert(std::this_thread::get_id());
    most = std::max(most, ++now_inside);
  }
  void leave() {
    const seam::Lock lock(mutex);
    --now_inside;
  }
  seam::Mutex mutex;
  std::set<std::thread::id> ids;
  std::size_t now_inside = 0;
  std::size_t most = 0;
};

Task<> block_once(ThreadIds& ids) {
  auto call = [&ids] {
    ids.note();
    std::this_thread::sleep_for(1ms);
    ids.leave();
  };
  std::ignore = co_await unblock(call);
}

TEST_P(Unblock, runs_on_a_bounded_number_of_other_threads) {
  ThreadIds ids;
  std::vector<JoinHandle<void>> handles;
  for (int i = 0; i < 500; ++i) handles.push_back(runtime_->spawn(block_once(ids)));
  for (auto& handle : handles) ASSERT_TRUE(await_within(handle, 30s));
  EXPECT_LE(ids.most, 64U);
  EXPECT_GT(ids.most, 1U);
  EXPECT_FALSE(ids.ids.contains(std::this_thread::get_id()));
}

/// Holds whoever comes until it is opened.
class Gate {
 public:
  void pass() {
    const seam::Lock lock(mutex_);
    ++held_;
    changed_.notify_all();
    while (!is_open_) changed_.wait(mutex_);
  }
  void wait_until_held(int count) {
    const seam::Lock lock(mutex_);
    while (held_ < count) changed_.wait(mutex_);
  }
  void open() {
    const seam::Lock lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }

 private:
  seam::Mutex mutex_;
  seam::Condvar changed_;
  int held_ = 0;
  bool is_open_ = false;
};

TEST_P(Unblock, dropped_before_it_began_it_is_never_called) {
  Gate gate;
  seam::Atomic<int> called{0};
  auto hold = [&] { gate.pass(); };
  auto count = [&called] { called.fetch_add(1, std::memory_order_relaxed); };
  std::vector<JoinHandle<Result<void>>> holding;
  for (int i = 0; i < 64; ++i) holding.push_back(runtime_->spawn(unblock(hold)));
  gate.wait_until_held(64);
  std::vector<JoinHandle<Result<void>>> waiting;
  for (int i = 0; i < 100; ++i) waiting.push_back(runtime_->spawn(unblock(count)));
  for (auto& handle : waiting) handle.abort();
  for (auto& handle : waiting) ASSERT_TRUE(await_within(handle, 30s));
  gate.open();
  for (auto& handle : holding) ASSERT_TRUE(await_within(handle, 30s));
  EXPECT_EQ(called.load(std::memory_order_relaxed), 0);
}

TEST_P(Unblock, shutdown_waits_for_what_has_begun) {
  seam::Atomic<bool> ended{false};
  std::latch begun(1);
  auto call = [&] {
    begun.count_down();
    std::this_thread::sleep_for(50ms);
    ended.store(true, std::memory_order_relaxed);
  };
  runtime_->spawn(unblock(call)).detach();
  begun.wait();
  runtime_.reset();
  EXPECT_TRUE(ended.load(std::memory_order_relaxed));
}

TEST_P(Unblock, in_block_on) { EXPECT_EQ(runtime_->block_on(unblock(answer)).value(), 42); }

INSTANTIATE_TEST_SUITE_P(on, Unblock, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

}  // namespace
}  // namespace skua::tests
