// The functions that Builder::on_...() sets.
#include "each_runtime.hpp"

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <pthread.h>

namespace skua::tests {
namespace {

using namespace std::chrono_literals;

std::string thread_name() {
  char name[16] = {};
  ::pthread_getname_np(::pthread_self(), name, sizeof name);
  return name;
}

struct Seen {
  void note(std::multiset<std::string>& to, std::string what) {
    const std::lock_guard lock(mutex);
    to.insert(std::move(what));
  }
  std::mutex mutex;
  std::multiset<std::string> started, stopped;
  std::multiset<std::string> spawned, ended;
  std::atomic<int> parked{0}, unparked{0};
};

Builder hooked(Seen& seen) {
  return Builder()
      .backend(Backend::epoll)
      .on_thread_start([&] { seen.note(seen.started, thread_name()); })
      .on_thread_stop([&] { seen.note(seen.stopped, thread_name()); })
      .on_thread_park([&] { ++seen.parked; })
      .on_thread_unpark([&] { ++seen.unparked; })
      .on_task_spawn([&](const TaskInfo& task) { seen.note(seen.spawned, task.id.to_string()); })
      .on_task_end([&](const TaskInfo& task) { seen.note(seen.ended, task.id.to_string()); });
}

Task<> sleeps(Duration time) { co_await sleep(time); }
Task<> runs_some() {
  auto slow = [] { std::this_thread::sleep_for(1ms); };
  std::ignore = co_await unblock(slow);
  auto handle = spawn_named("named", sleeps(1ms));
  std::ignore = co_await handle;
  auto blocking = co_await spawn_blocking(slow);
  std::ignore = co_await *blocking;
}

TEST(hooks, of_threads_and_tasks) {
  Seen seen;
  {
    auto runtime = hooked(seen).workers(2).thread_name("mine").build().value();
    runtime.block_on(runtime.spawn(runs_some())).value();
    runtime.spawn(sleeps(1h)).detach();  // ended by the destructor
  }
  EXPECT_EQ(seen.started, seen.stopped);
  EXPECT_TRUE(seen.started.contains("mine-0") && seen.started.contains("mine-1"));
  EXPECT_TRUE(seen.started.contains("skua-blocking"));
  EXPECT_EQ(seen.spawned.size(), 4U);
  EXPECT_EQ(seen.spawned, seen.ended) << "each once";
  EXPECT_GT(seen.parked, 0);
  EXPECT_EQ(seen.parked, seen.unparked);
}

TEST(hooks, of_a_current_thread_runtime) {
  Seen seen;
  {
    auto runtime = hooked(seen).current_thread().build().value();
    runtime.block_on(runs_some());
  }
  EXPECT_EQ(seen.started.count("skua-blocking"), seen.started.size()) << "this thread was here before";
  EXPECT_EQ(seen.spawned.size(), 2U);
  EXPECT_EQ(seen.spawned, seen.ended);
  EXPECT_GT(seen.parked, 0);
  EXPECT_EQ(seen.parked, seen.unparked);
}

TEST(hooks, tell_what_was_spawned_and_where) {
  std::string name;
  std::uint32_t line = 0;
  std::atomic<int> refused{0};
  auto runtime = Builder()
                     .backend(Backend::epoll)
                     .workers(1)
                     .on_task_spawn([&](const TaskInfo& task) {
                       name = task.name;
                       line = task.spawned_at.line();
                     })
                     .on_task_end([&](const TaskInfo&) { ++refused; })
                     .build()
                     .value();
  auto body = []() -> Task<> {
    auto handle = spawn_named("worker bee", sleeps(0ms));
    std::ignore = co_await handle;
  };
  const std::uint32_t here = __LINE__ - 3;
  runtime.block_on(body());
  EXPECT_EQ(name, "worker bee");
  EXPECT_EQ(line, here);
  runtime.shutdown(30s);
  refused = 0;
  runtime.spawn(sleeps(0ms)).detach();
  EXPECT_EQ(refused, 1) << "a spawn that is refused begins and ends";
}

}  // namespace
}  // namespace skua::tests
