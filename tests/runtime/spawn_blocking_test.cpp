// spawn_blocking(): places, refusals, aborts, exceptions.
#include "each_runtime.hpp"

#include <atomic>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace skua::tests {
namespace {

using namespace std::chrono_literals;

/// One thread, which a function holds until the latch is released, and two places.
class spawn_blocking_full : public testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    auto runtime = Builder().backend(GetParam()).workers(1).blocking_threads(1).blocking_queue(2).build();
    if (!runtime) GTEST_SKIP() << "refused here: " << runtime.error().message();
    runtime_.emplace(*std::move(runtime));
    holding_.emplace(spawned([this] {
      inside_.count_down();
      release_.wait();
    }));
    inside_.wait();
  }
  void TearDown() override {
    if (!is_released_) release();
  }
  void release() {
    is_released_ = true;
    release_.count_down();
  }
  template <class F>
  auto spawned(F function) -> JoinHandle<std::invoke_result_t<F&>> {
    return try_spawn_blocking(runtime_->handle(), std::move(function)).value();
  }
  std::latch inside_{1};
  std::latch release_{1};
  bool is_released_ = false;
  std::optional<Runtime> runtime_;
  std::optional<JoinHandle<void>> holding_;
};
INSTANTIATE_TEST_SUITE_P(on, spawn_blocking_full, testing::Values(Backend::io_uring, Backend::epoll),
                         [](const auto& backend) {
                           return std::string(backend.param == Backend::epoll ? "epoll" : "io_uring");
                         });

int one() { return 1; }

TEST_P(spawn_blocking_full, no_place_is_a_refusal_or_a_wait) {
  auto first = spawned(one);
  auto second = spawned(one);
  EXPECT_EQ(try_spawn_blocking(runtime_->handle(), one).error(), std::errc::resource_unavailable_try_again);
  EXPECT_EQ(runtime_->handle().counters().blocking, 3U);
  CountedContext context;
  auto third = spawn_blocking(runtime_->handle(), one);
  EXPECT_TRUE(third.poll(context).is_pending());
  release();
  auto handle = await_within(third);
  ASSERT_TRUE(handle && *handle);
  for (auto* const joined : {&first, &second, &**handle}) EXPECT_EQ(await_within(*joined)->value(), 1);
}

TEST_P(spawn_blocking_full, dropped_while_it_waits_for_a_place_it_is_never_called) {
  std::atomic<int> called{0};
  auto counts = [&called] { ++called; };
  auto first = spawned(one);
  auto second = spawned(one);
  {
    CountedContext context;
    auto dropped = spawn_blocking(runtime_->handle(), counts);
    EXPECT_TRUE(dropped.poll(context).is_pending());
  }
  release();
  EXPECT_TRUE(await_within(second));
  auto last = spawn_blocking(runtime_->handle(), one);
  auto handle = await_within(last);
  EXPECT_EQ(await_within(handle->value())->value(), 1) << "its place in the line is not lost for others";
  EXPECT_EQ(called, 0);
}

TEST_P(spawn_blocking_full, aborted_before_it_begins_it_is_never_called) {
  std::atomic<int> called{0};
  Census census;
  auto counts = [&called, counted = std::make_unique<Counted>(census)] { ++called; };
  auto handle = spawned(std::move(counts));
  handle.abort();
  release();
  const auto joined = await_within(handle);
  ASSERT_TRUE(joined);
  EXPECT_TRUE(joined->error().is_cancelled());
  EXPECT_EQ(called, 0);
  EXPECT_EQ(census.alive(), 0);
}

TEST_P(spawn_blocking_full, aborted_after_it_began_it_goes_on) {
  holding_->abort();
  std::this_thread::sleep_for(1ms);
  EXPECT_FALSE(holding_->is_finished());
  release();
  const auto joined = await_within(*holding_);
  ASSERT_TRUE(joined);
  EXPECT_TRUE(*joined);
}

TEST_P(spawn_blocking_full, shutdown_ends_the_wait_for_a_place) {
  auto first = spawned(one);
  auto second = spawned(one);
  CountedContext context;
  auto waiting = spawn_blocking(runtime_->handle(), one);
  EXPECT_TRUE(waiting.poll(context).is_pending());
  std::thread releases([&] {  // the one thread of the pool is held until the shutdown has ended what waits
    EXPECT_TRUE(eventually([&] { return first.is_finished(); }));
    release();
  });
  EXPECT_TRUE(runtime_->shutdown(30s).is_complete);
  releases.join();
  const auto refused = await_within(waiting);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->error(), std::errc::operation_canceled);
  EXPECT_TRUE(first.take_output().error().is_cancelled());
}

class spawn_blocking_on : public EachRuntime {};
INSTANTIATE_TEST_SUITE_P(each, spawn_blocking_on, each_setup,
                         [](const auto& parameter) { return name_of(parameter.param); });

Task<Result<int>> in_a_task() {
  std::string text = "abc";
  auto length = [text = std::move(text)] { return static_cast<int>(text.size()); };
  auto counting = co_await try_(spawn_blocking(std::move(length)));
  co_return (co_await counting).value();
}
TEST_P(spawn_blocking_on, value_comes_back) { EXPECT_EQ(run(in_a_task()).value(), 3); }

TEST_P(spawn_blocking_on, what_it_throws_is_the_error_of_the_join) {
  auto throws = []() -> int { throw std::runtime_error("from there"); };
  auto handle = try_spawn_blocking(runtime_->handle(), throws).value();
  const auto joined = await_within(handle);
  ASSERT_TRUE(joined);
  ASSERT_TRUE(joined->error().exception());
  EXPECT_THROW(joined->error().raise(), std::runtime_error);
}

TEST_P(spawn_blocking_on, the_runtime_is_there_inside) {
  auto function = [] {
    const auto id = current_task_id();
    auto handle = spawn(in_a_task());
    const auto joined = await_within(handle);
    auto nested = try_spawn_blocking(one);
    return id.has_value() && joined && joined->value().value() == 3 && nested;
  };
  auto handle = try_spawn_blocking(runtime_->handle(), function).value();
  const auto joined = await_within(handle);
  ASSERT_TRUE(joined);
  EXPECT_TRUE(joined->value());
}

Task<int> many(int count) {
  int sum = 0;
  for (int i = 0; i < count; ++i) {
    auto handle = co_await spawn_blocking(one);
    if (i % 3 == 0) handle->abort();
    if (i % 2 == 0) continue;  // detached
    const auto joined = co_await *handle;
    sum += joined ? *joined : 0;
  }
  co_return sum;
}
TEST_P(spawn_blocking_on, many_from_many_tasks) {
  std::vector<JoinHandle<int>> handles;
  for (int i = 0; i < 8; ++i) handles.push_back(runtime_->spawn(many(scaled(200, 50))));
  for (auto& handle : handles) {
    const auto joined = await_within(handle, 30s);
    ASSERT_TRUE(joined);
    EXPECT_GT(joined->value(), 0);
  }
  EXPECT_TRUE(eventually([&] { return runtime_->handle().counters().blocking == 0; }));
}

}  // namespace
}  // namespace skua::tests
