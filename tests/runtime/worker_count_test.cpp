// Handle::set_workers(): more and fewer workers while tasks, timers and descriptors are in use.
#include "each_runtime.hpp"

#include "environment.hpp"
#include "pings.hpp"

#include <skua/cgroup.hpp>

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <latch>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace skua::tests {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t most = 8;

class worker_count : public testing::TestWithParam<Setup> {
 protected:
  void SetUp() override {
    const auto& setup = GetParam();
    auto runtime =
        Builder().backend(setup.backend).reactor_mode(setup.mode).workers(setup.workers).workers_limit(most).build();
    if (!runtime) GTEST_SKIP() << name_of(setup) << " is refused here: " << runtime.error().message();
    runtime_.emplace(*std::move(runtime));
  }
  void set(std::uint32_t count) {
    ASSERT_TRUE(runtime_->handle().set_workers(count));
    EXPECT_EQ(runtime_->handle().workers(), count);
  }
  std::optional<Runtime> runtime_;
};
INSTANTIATE_TEST_SUITE_P(on, worker_count, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

Task<std::thread::id> thread_of_a_poll() {
  co_await yield_now();
  co_return std::this_thread::get_id();
}

/// The threads that tasks run on now.
std::set<std::thread::id> threads_in_use(Runtime& runtime) {
  std::set<std::thread::id> threads;
  std::vector<JoinHandle<std::thread::id>> handles;
  for (int i = 0; i < 100; ++i) handles.push_back(runtime.spawn(thread_of_a_poll()));
  for (auto& handle : handles) threads.insert(await_within(handle, 30s)->value());
  return threads;
}

/// As many tasks as there are to be workers, each of which holds its worker until all are there.
Task<> meet(std::latch& all) {
  all.arrive_and_wait();
  co_return;
}
bool run_at_once(Runtime& runtime, std::uint32_t count) {
  std::latch all(count);
  std::vector<JoinHandle<void>> handles;
  for (std::uint32_t i = 0; i < count; ++i) handles.push_back(runtime.spawn(meet(all)));
  for (auto& handle : handles) {
    if (!await_within(handle, 30s)) std::abort();  // `all` is in use
  }
  return true;
}

TEST_P(worker_count, more_run_more_tasks_at_once_and_fewer_fewer) {
  EXPECT_EQ(runtime_->handle().workers(), GetParam().workers);
  set(5);
  EXPECT_TRUE(run_at_once(*runtime_, 5));
  set(1);
  EXPECT_TRUE(eventually([this] { return threads_in_use(*runtime_).size() == 1; }));
  set(most);
  EXPECT_TRUE(run_at_once(*runtime_, most));
}

TEST_P(worker_count, numbers_out_of_range_are_refused) {
  for (const std::uint32_t count : {0U, most + 1, 4'000'000'000U}) {
    const auto result = runtime_->handle().set_workers(count);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), std::errc::invalid_argument);
    const std::string expected = count == most + 1
                                     ? "(from set_workers()) is more than workers_limit = \"8\" (from code)"
                                     : "(from set_workers()): expected auto or a number from 1 to 1024";
    EXPECT_NE(result.error().message().find(expected), std::string::npos) << result.error().message();
  }
  EXPECT_EQ(runtime_->handle().workers(), GetParam().workers);
}

Task<int> sleeps_and_yields(int rounds) {
  int done = 0;
  for (; done < rounds; ++done) {
    if (done % 3 == 0) co_await sleep(100us);
    co_await yield_now();
    if (done % 5 == 0) std::ignore = co_await spawn(thread_of_a_poll());
  }
  co_return done;
}

// A thousand changes, up and down, from outside and from a task, while timers, sockets and channels are in use.
TEST_P(worker_count, changes_under_load_lose_nothing) {
  std::atomic<bool> is_over = false;
  const auto work = [&is_over]() -> Task<int> {
    int rounds = 0;
    while (!is_over.load()) {
      auto pinged = spawn(pings(20));
      auto slept = spawn(sleeps_and_yields(20));
      if ((co_await slept).value() != 20) co_return -1;
      auto answered = (co_await pinged).value();
      if (!answered || *answered != 20) co_return -2;
      ++rounds;
    }
    co_return rounds;
  };
  const auto changes_itself = [&is_over]() -> Task<int> {
    while (!is_over.load()) {
      for (const std::uint32_t count : {2U, 1U, 3U}) {
        if (!Handle::current().set_workers(count)) co_return -1;
        co_await yield_now();
      }
      co_await sleep(1ms);
    }
    co_return 1;
  };
  std::vector<JoinHandle<int>> handles;
  for (int i = 0; i < 4; ++i) handles.push_back(runtime_->spawn(work()));
  handles.push_back(runtime_->spawn(changes_itself()));
  for (int i = 0; i < scaled(1000, 200); ++i) {
    ASSERT_TRUE(runtime_->handle().set_workers(i % 2 == 0 ? most : 1));
    if (i % 8 == 0) std::this_thread::sleep_for(500us);
  }
  is_over.store(true);
  for (auto& handle : handles) {
    const auto joined = await_within(handle, 60s);
    ASSERT_TRUE(joined) << "a task is stuck";
    EXPECT_GT(joined->value(), 0);
  }
  set(1);
  EXPECT_TRUE(eventually([this] { return runtime_->handle().alive_tasks() == 0; }));
}

// Each of them waits on the worker that it began on.
TEST_P(worker_count, timers_and_descriptors_of_workers_out_of_service_go_on) {
  set(4);
  std::latch all(4);
  const auto begin_apart = [](std::latch& together) -> Task<Result<int>> {
    together.arrive_and_wait();
    co_await sleep(20ms);
    co_return co_await try_(pings(50));
  };
  std::vector<JoinHandle<Result<int>>> handles;
  for (int i = 0; i < 4; ++i) handles.push_back(runtime_->spawn(begin_apart(all)));
  all.wait();
  set(1);
  for (auto& handle : handles) {
    const auto joined = await_within(handle, 30s);
    ASSERT_TRUE(joined);
    EXPECT_EQ(joined->value().value(), 50);
  }
}

// The poll that holds up a worker is not waited for, and what is behind it is run by the others.
TEST_P(worker_count, workers_in_a_long_poll_leave_when_it_ends) {
  set(2);
  std::latch both(2);
  std::latch release(1);
  std::atomic<int> done = 0;
  const auto holds = [&]() -> Task<> {
    for (int i = 0; i < 10; ++i)
      spawn([](std::atomic<int>& count) -> Task<> {
        ++count;
        co_return;
      }(done))
          .detach();
    both.arrive_and_wait();
    release.wait();
    co_return;
  };
  const auto ends = [&]() -> Task<> {
    both.arrive_and_wait();
    co_return;
  };
  auto held = runtime_->spawn(holds());
  auto ended = runtime_->spawn(ends());
  ASSERT_TRUE(await_within(ended, 30s));
  set(1);
  set(2);
  EXPECT_TRUE(eventually([&] { return done.load() == 10; })) << "the other worker runs what it finds";
  release.count_down();
  ASSERT_TRUE(await_within(held, 30s));
  EXPECT_TRUE(run_at_once(*runtime_, 2));
}

TEST_P(worker_count, lent_workers_leave_and_come_back) {
  const auto blocks = []() -> Task<int> {
    int done = 0;
    for (; done < 20; ++done) {
      auto brief = [] { std::this_thread::sleep_for(300us); };
      block_in_place(brief);
      co_await yield_now();
    }
    co_return done;
  };
  std::vector<JoinHandle<int>> handles;
  for (int i = 0; i < 4; ++i) handles.push_back(runtime_->spawn(blocks()));
  for (int i = 0; i < 100; ++i) {
    set(i % 2 == 0 ? 1 : 4);
    std::this_thread::sleep_for(100us);
  }
  for (auto& handle : handles) {
    const auto joined = await_within(handle, 60s);
    ASSERT_TRUE(joined) << "a task is stuck";
    EXPECT_EQ(joined->value(), 20);
  }
}

// Tasks wait on workers that are out of service, and some are about to leave or come back.
TEST_P(worker_count, shutdown_at_any_moment) {
  const auto waits = []() -> Task<> {
    for (;;) {
      co_await sleep(1ms);
      co_await yield_now();
    }
  };
  const auto& setup = GetParam();
  for (int round = 0; round < scaled(40, 10); ++round) {
    Runtime runtime = Builder()
                          .backend(setup.backend)
                          .reactor_mode(setup.mode)
                          .workers(1 + static_cast<std::uint32_t>(round) % 4)
                          .workers_limit(4)
                          .build()
                          .value();
    const Handle handle = runtime.handle();
    for (int i = 0; i < 20; ++i) runtime.spawn(waits()).detach();
    for (int i = 0; i < round; ++i) ASSERT_TRUE(handle.set_workers(1 + static_cast<std::uint32_t>(i * 7 + round) % 4));
    EXPECT_EQ(runtime.shutdown(30s).refused.size(), 0U);
    ASSERT_TRUE(handle.set_workers(2)) << "too late, and no harm";
    EXPECT_EQ(handle.workers(), 0U);
  }
}

TEST_P(worker_count, virtual_time_goes_on_without_those_out_of_service) {
  const VirtualClock clock;
  const auto& setup = GetParam();
  Runtime runtime = Builder()
                        .backend(setup.backend)
                        .reactor_mode(setup.mode)
                        .workers(1)
                        .workers_limit(3)
                        .clock(clock)
                        .build()
                        .value();
  const auto sleeps = [](std::uint32_t count) -> Task<> {
    std::ignore = Handle::current().set_workers(count);
    const Instant start = Clock::now();
    co_await sleep(1h);
    EXPECT_EQ(Clock::now() - start, 1h);
  };
  for (const std::uint32_t count : {3U, 1U, 2U, 1U}) {
    auto task = runtime.spawn(sleeps(count));
    ASSERT_TRUE(await_within(task, 30s));
  }
}

/// A cgroup with a quota of processor time, that this process is in until the end. Version 1 or 2, whichever the system
/// lets us make.
class Quota {
 public:
  Quota() : name_("skua-test-" + std::to_string(::getpid())) {
    is_made_ = make("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us") || make("/sys/fs/cgroup", "cpu.max");
  }
  ~Quota() {
    if (!is_made_) return;
    write(mount_ / "cgroup.procs", std::to_string(::getpid()));
    ::rmdir((mount_ / name_).c_str());
  }
  Quota(const Quota&) = delete;
  Quota& operator=(const Quota&) = delete;

  bool is_made() const { return is_made_; }
  void set(int processors) {
    const std::string microseconds = std::to_string(processors * 100'000);
    ASSERT_TRUE(write(mount_ / name_ / file_, file_ == "cpu.max" ? microseconds + " 100000" : microseconds));
  }

 private:
  bool make(const std::filesystem::path& mount, const std::string& file) {
    mount_ = mount;
    file_ = file;
    std::error_code error;
    if (!std::filesystem::create_directory(mount / name_, error)) return false;
    if (std::filesystem::exists(mount / name_ / file, error) &&
        write(mount / name_ / "cgroup.procs", std::to_string(::getpid()))) {
      return true;
    }
    ::rmdir((mount / name_).c_str());
    return false;
  }
  static bool write(const std::filesystem::path& file, const std::string& text) {
    std::ofstream out(file);
    return static_cast<bool>(out << text << std::flush);
  }

  const std::string name_;
  std::filesystem::path mount_;
  std::string file_;
  bool is_made_ = false;
};

TEST(worker_quota, is_followed_while_the_runtime_is_busy_until_a_number_is_set) {
  if (affinity_processors() < 2) GTEST_SKIP() << "one processor";
  Quota quota;
  if (!quota.is_made()) GTEST_SKIP() << "no cgroup can be made here";
  const ScopedVariable workers("SKUA_WORKERS", nullptr);
  const ScopedVariable limit("SKUA_WORKERS_LIMIT", nullptr);
  quota.set(1);
  Runtime runtime;
  const Handle handle = runtime.handle();
  EXPECT_EQ(handle.workers(), 1U);
  const auto busy = []() -> Task<> {
    for (;;) co_await sleep(1ms);
  };
  runtime.spawn(busy()).detach();
  quota.set(2);
  EXPECT_TRUE(eventually([&] { return handle.workers() == 2; }));
  quota.set(1);
  EXPECT_TRUE(eventually([&] { return handle.workers() == 1; }));
  EXPECT_TRUE(handle.set_workers(2));
  std::this_thread::sleep_for(1500ms);
  EXPECT_EQ(handle.workers(), 2U);
  EXPECT_TRUE(handle.reconfigure("workers", "auto"));
  EXPECT_EQ(handle.workers(), 1U);
}

TEST(worker_limit, is_the_number_of_workers_unless_said) {
  const ScopedVariable workers("SKUA_WORKERS", nullptr);
  const Runtime runtime = Builder().workers(3).build().value();
  EXPECT_TRUE(runtime.handle().set_workers(1));
  EXPECT_TRUE(runtime.handle().set_workers(3));
  EXPECT_FALSE(runtime.handle().set_workers(4));
}

TEST(worker_limit, less_than_the_workers_is_an_error_that_names_both) {
  const ScopedVariable workers("SKUA_WORKERS", "3");
  const ScopedVariable limit("SKUA_WORKERS_LIMIT", nullptr);
  const auto runtime = Builder().workers_limit(2).build();
  ASSERT_FALSE(runtime);
  EXPECT_EQ(runtime.error(), std::errc::invalid_argument);
  EXPECT_NE(runtime.error().message().find(
                "workers = \"3\" (from SKUA_WORKERS) is more than workers_limit = \"2\" (from code)"),
            std::string::npos)
      << runtime.error().message();
}

TEST(worker_limit, of_auto_workers_bounds_them) {
  const ScopedVariable workers("SKUA_WORKERS", nullptr);
  const Runtime runtime = Builder().workers_limit(1).build().value();
  EXPECT_EQ(runtime.handle().workers(), 1U);
  EXPECT_EQ(runtime.handle().options().workers.value, 1U);
}

TEST(worker_limit, of_a_current_thread_runtime_is_one) {
  const Runtime runtime = Builder().current_thread().build().value();
  EXPECT_TRUE(runtime.handle().set_workers(1));
  EXPECT_FALSE(runtime.handle().set_workers(2));
}

}  // namespace
}  // namespace skua::tests
