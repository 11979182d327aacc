// Options that change while the runtime works.
#include <skua/blocking/blocking_places.hpp>
#include <skua/option_table.hpp>
#include <skua/skua.hpp>

#include "../support/probe.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace skua::tests {
namespace {

std::string message_of(const Result<void>& result) { return result ? "" : result.error().message(); }

Runtime small_pool(std::uint32_t threads, std::uint32_t queue) {
  return Builder().workers(1).blocking_threads(threads).blocking_queue(queue).build().value();
}

TEST(reconfigure, more_threads_begin_what_waits) {
  Runtime runtime = small_pool(1, 8);
  std::latch met(2);
  const auto meet = [&met] { met.arrive_and_wait(); };
  auto first = try_spawn_blocking(runtime.handle(), meet).value();
  auto second = try_spawn_blocking(runtime.handle(), meet).value();
  EXPECT_FALSE(met.try_wait());
  ASSERT_TRUE(runtime.reconfigure("blocking.threads", "2"));
  EXPECT_TRUE(runtime.block_on(std::move(first)));
  EXPECT_TRUE(runtime.block_on(std::move(second)));
}

TEST(reconfigure, more_places_let_in_who_waits) {
  Runtime runtime = small_pool(1, 1);
  std::latch begun(1);
  std::latch release(1);
  const auto hold = [&] {
    begun.count_down();
    release.wait();
  };
  auto holding = try_spawn_blocking(runtime.handle(), hold).value();
  begun.wait();
  auto waiting = try_spawn_blocking(runtime.handle(), [] {}).value();
  EXPECT_FALSE(try_spawn_blocking(runtime.handle(), [] {})) << "one place, and it is taken";
  ASSERT_TRUE(runtime.reconfigure("blocking.queue", "2"));
  auto another = try_spawn_blocking(runtime.handle(), [] {});
  EXPECT_FALSE(try_spawn_blocking(runtime.handle(), [] {}));
  release.count_down();
  EXPECT_TRUE(runtime.block_on(std::move(holding)));
  EXPECT_TRUE(runtime.block_on(std::move(waiting)));
  ASSERT_TRUE(another);
  EXPECT_TRUE(runtime.block_on(*std::move(another)));
}

TEST(reconfigure, configuration_says_what_is_now_and_who_said_it) {
  Runtime runtime = small_pool(1, 8);
  const Handle handle = runtime.handle();
  ASSERT_TRUE(runtime.reconfigure("blocking.threads", "3"));
  ASSERT_TRUE(handle.reconfigure("blocking.keep_alive_ms", "5", "control socket"));
  EXPECT_EQ(handle.configuration().blocking_threads.value, 3U);
  EXPECT_EQ(handle.configuration().blocking_threads.origin.describe(), "reconfigure()");
  EXPECT_EQ(handle.configuration().blocking_keep_alive_ms.value, 5U);
  EXPECT_EQ(handle.configuration().blocking_keep_alive_ms.origin.describe(), "control socket");
  EXPECT_EQ(handle.configuration().blocking_queue.origin.describe(), "code");
  EXPECT_EQ(handle.configuration().workers.value, 1U);
  EXPECT_EQ(handle.options().blocking_threads.value, 1U) << "as at the start";
  ASSERT_TRUE(runtime.reconfigure("blocking.threads", "2"));
  EXPECT_EQ(handle.configuration().blocking_threads.value, 2U) << "the last wins";
}

TEST(reconfigure, errors_name_key_and_reason_and_change_nothing) {
  Runtime runtime = Builder().workers(1).blocking_threads(4).lock("blocking.threads").build().value();
  EXPECT_EQ(message_of(runtime.reconfigure("backend", "epoll")),
            "option backend = \"epoll\" (from reconfigure()): cannot change while the runtime works: needs a restart");
  EXPECT_TRUE(runtime.reconfigure("backend", "epoll").error() == std::errc::operation_not_supported);
  EXPECT_EQ(message_of(runtime.reconfigure("blocking.treads", "4")),
            "option blocking.treads (from reconfigure(); did you mean blocking.threads?): no such option");
  EXPECT_EQ(message_of(runtime.reconfigure("blocking.queue", "0")),
            "option blocking.queue = \"0\" (from reconfigure()): expected a number from 1 to 1000000");
  EXPECT_EQ(message_of(runtime.reconfigure("blocking.threads", "5")),
            "option blocking.threads = \"5\" (from reconfigure()): locked by the program");
  EXPECT_TRUE(runtime.reconfigure("blocking.threads", "5").error() == std::errc::operation_not_permitted);
  const Options now = runtime.handle().configuration();
  EXPECT_EQ(now.blocking_threads.value, 4U);
  EXPECT_EQ(now.blocking_queue.origin.source, Source::default_value);
}

TEST(reconfigure, each_hot_key_takes_its_own_value_again) {
  Runtime runtime = Builder().current_thread().build().value();
  for (const OptionEntry& entry : option_table()) {
    if (!entry.is_hot()) continue;
    EXPECT_EQ(message_of(runtime.reconfigure(entry.key, entry.value(runtime.handle().configuration()))), "");
  }
  runtime.shutdown(std::chrono::seconds(10));
}

Task<Result<void>> change_in_a_task() { co_return Handle::current().reconfigure("blocking.threads", "7"); }

TEST(reconfigure, tasks_may) {
  Runtime runtime = small_pool(1, 8);
  EXPECT_TRUE(runtime.block_on(runtime.spawn(change_in_a_task())).value());
  EXPECT_EQ(runtime.handle().configuration().blocking_threads.value, 7U);
}

TEST(reconfigure, many_threads_under_load) {
  Runtime runtime = small_pool(2, 4);
  std::atomic<int> performed{0};
  std::atomic<bool> done{false};
  std::vector<std::thread> changers;
  for (std::uint32_t i = 0; i < 2; ++i) {
    changers.emplace_back([&, i] {
      for (std::uint32_t round = i; !done; ++round) {
        EXPECT_TRUE(runtime.reconfigure("blocking.threads", std::to_string(1 + round % 4)));
        EXPECT_TRUE(runtime.reconfigure("blocking.queue", std::to_string(1 + round % 7)));
        EXPECT_TRUE(runtime.reconfigure("blocking.keep_alive_ms", std::to_string(round % 2)));
        std::this_thread::yield();
      }
    });
  }
  const int count = scaled(2'000, 300);
  const auto spawn_all = [&]() -> Task<> {
    const auto note = [&performed] { performed.fetch_add(1); };
    std::vector<JoinHandle<void>> handles;
    for (int i = 0; i < count; ++i) {
      auto spawned = co_await spawn_blocking(note);
      handles.push_back(std::move(spawned).value());
    }
    for (auto& handle : handles) static_cast<void>(co_await handle);
  };
  runtime.block_on(spawn_all());
  done = true;
  for (std::thread& changer : changers) changer.join();
  EXPECT_EQ(performed, count);
  // What is there now is what was said last: as many places, whatever was taken meanwhile.
  ASSERT_TRUE(runtime.reconfigure("blocking.queue", "5"));
  EXPECT_EQ(runtime.handle().blocking_admission().available_permits(), 5U);
}

TEST(blocking_places, fewer_are_gone_when_they_come_back) {
  BlockingPlaces places(3);
  Semaphore& admission = places.admission();
  for (int i = 0; i < 3; ++i) ASSERT_EQ(admission.try_take(1), Semaphore::Attempt::taken);
  places.resize(1);
  places.give_back();
  places.give_back();
  EXPECT_EQ(admission.try_take(1), Semaphore::Attempt::would_block) << "one place, and it is taken";
  places.give_back();
  EXPECT_EQ(admission.available_permits(), 1U);
}

TEST(blocking_places, growing_again_keeps_what_was_to_go) {
  BlockingPlaces places(3);
  Semaphore& admission = places.admission();
  for (int i = 0; i < 3; ++i) ASSERT_EQ(admission.try_take(1), Semaphore::Attempt::taken);
  places.resize(1);
  places.resize(4);
  EXPECT_EQ(admission.available_permits(), 1U);
  for (int i = 0; i < 3; ++i) places.give_back();
  EXPECT_EQ(admission.available_permits(), 4U);
  places.resize(2);
  EXPECT_EQ(admission.available_permits(), 2U);
}

}  // namespace
}  // namespace skua::tests
