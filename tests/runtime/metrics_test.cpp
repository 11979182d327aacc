// What a snapshot says after things that are known to have happened.
#include "each_runtime.hpp"

#include <skua/metrics.hpp>
#include <skua/metrics/metric_table.hpp>
#include <skua/option_table.hpp>
#include <skua/scheduler/task_snapshot.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

namespace skua::tests {
namespace {

using namespace std::chrono_literals;

Task<> yields(int times) {
  for (int i = 0; i < times; ++i) co_await yield_now();
}

Task<> spawns_and_joins(int tasks, int yields_each) {
  std::vector<JoinHandle<void>> handles;
  for (int i = 0; i < tasks; ++i) handles.push_back(spawn(yields(yields_each)));
  for (auto& handle : handles) (co_await handle).value();
}

/// Whether a task that is spawned from here ends.
bool completes(const Runtime& runtime, Task<> task) {
  auto handle = runtime.handle().spawn(std::move(task));
  return await_within(handle).has_value();
}

Result<Runtime> with(const char* key, const char* value, std::uint32_t workers) {
  Options options;
  if (auto set = options.set(key, value, {Source::code, {}}); !set) return std::move(set).error();
  return Builder().options(options).workers(workers).backend(Backend::epoll).build();
}

class runtime_metrics : public EachRuntime {
 protected:
  Metrics now() { return runtime_->metrics(); }
};
INSTANTIATE_TEST_SUITE_P(on, runtime_metrics, each_setup,
                         [](const auto& parameter) { return name_of(parameter.param); });

TEST_P(runtime_metrics, counts_tasks_and_polls) {
  const Metrics before = now();
  run(spawns_and_joins(100, 3));
  ASSERT_TRUE(eventually([&] { return now().alive_tasks() == 0; }));
  const Metrics during = now() - before;
  EXPECT_EQ(during.scheduler.spawned, 101U);
  EXPECT_EQ(during.scheduler.ended, 101U);
  const WorkerMetrics all = during.all_workers();
  EXPECT_GE(all.polls, 100U * 4 + 1);
  EXPECT_LE(all.polls, 100U * 4 + 102) << "at most one poll for each join";
  EXPECT_EQ(all.polls_to_end, 101U);
  EXPECT_GE(all.local_schedules, 100U) << "the tasks that a task spawned";
  EXPECT_GE(during.scheduler.remote_schedules, 1U) << "the one that this thread spawned";
  EXPECT_GE(during.period, 0ns);
  EXPECT_EQ(during.workers.size(), GetParam().workers);
  EXPECT_EQ(during.drivers.size(), GetParam().mode == ReactorMode::workers ? GetParam().workers + 1 : 1);
  EXPECT_EQ(during.backend, GetParam().backend);
}

TEST_P(runtime_metrics, sleeping_workers_are_not_busy) {
  run(yields(10));
  ASSERT_TRUE(eventually([&] { return now().all_workers().is_sleeping; }));
  const Metrics before = now();
  EXPECT_GT(before.all_workers().busy, 0ns);
  EXPECT_GT(before.all_workers().parks, 0U);
  std::this_thread::sleep_for(2ms);
  const Metrics during = now() - before;
  for (const WorkerMetrics& worker : during.workers) {
    EXPECT_TRUE(worker.parks != 0 || worker.busy == 0ns);
    EXPECT_EQ(worker.queue_depth, 0U);
    EXPECT_EQ(worker.since_look, 0ns);
  }
}

TEST_P(runtime_metrics, a_computing_worker_is_busy) {
  const Metrics before = now();
  auto compute = []() -> Task<> {
    const Instant end = seam::now() + 20ms;
    while (seam::now() < end) co_await yield_now();
  };
  run(compute());
  const Metrics during = now() - before;
  EXPECT_GE(during.all_workers().busy, 15ms);
  EXPECT_LE(during.all_workers().busy, during.period * GetParam().workers);
  EXPECT_GT(during.all_workers().looks, 0U);
  EXPECT_GT(during.all_workers().mean_poll, 0ns);
}

TEST_P(runtime_metrics, counts_timers) {
  const Metrics before = now();
  auto sleeps = []() -> Task<> {
    co_await sleep(1ms);
    co_await sleep(1ms);
    auto first = co_await select(sleep(1h), yield_now());
    EXPECT_EQ(first.index(), 1U);
  };
  run(sleeps());
  const DriverMetrics during = (now() - before).all_drivers();
  EXPECT_EQ(during.timers_armed, 3U);
  EXPECT_EQ(during.timers_fired, 2U);
  EXPECT_EQ(during.timers_cancelled, 1U);
  EXPECT_EQ(during.timers, 0U);
  EXPECT_GE(during.poller.waits, 1U);
}

Task<> talks_to_itself() {
  TcpListener listener = TcpListener::bind(SocketAddress::loopback(0)).value();
  TcpStream stream = (co_await TcpStream::connect(listener.local_address().value())).value();
  TcpStream server = (co_await listener.accept()).value().stream;
  auto echoes = spawn([](TcpStream from) -> Task<> {
    std::array<std::byte, 1> byte{};
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ((co_await from.read(byte)).value(), 1U);
      (co_await from.write(byte)).value();
    }
  }(std::move(server)));
  for (int i = 0; i < 4; ++i) {
    co_await sleep(1ms);  // so that the other one waits
    std::array<std::byte, 1> byte{};
    (co_await stream.write(byte)).value();
    EXPECT_EQ((co_await stream.read(byte)).value(), 1U);
  }
  (co_await echoes).value();
}

// Who finds its data there need not wait, and a thread that is about to sleep need not be woken by the kernel: so often
// enough, each happens.
TEST_P(runtime_metrics, counts_what_the_kernel_is_asked) {
  const Metrics before = now();
  const auto during = [&] { return (now() - before).all_drivers(); };
  ASSERT_TRUE(eventually([&] {
    run(talks_to_itself());
    const DriverMetrics counted = during();
    return counted.sources_added > 0 && counted.events >= 4 && counted.poller.completions >= 4 &&
           counted.poller.waits > 0 && (counted.poller.signals > 0 || GetParam().mode == ReactorMode::thread);
  }));
  EXPECT_TRUE(eventually([&] { return during().sources == 0 && during().sources_added == during().sources_removed; }));
  EXPECT_GE(during().poller.submissions, during().sources_added);
  EXPECT_GE(during().poller.enters, 1U);
}

TEST_P(runtime_metrics, counts_blocking_calls) {
  const Metrics before = now();
  auto calls = []() -> Task<> {
    for (int i = 0; i < 5; ++i) {
      auto nothing = [] {};
      std::ignore = co_await unblock(nothing);
    }
  };
  run(calls());
  ASSERT_TRUE(eventually([&] { return (now() - before).blocking.calls == 5; }));
  const BlockingMetrics during = (now() - before).blocking;
  EXPECT_GE(during.threads_started, 1U);
  EXPECT_GE(during.threads, 1U);
  EXPECT_EQ(during.queue_depth, 0U);
  EXPECT_EQ(during.refused, 0U);
}

// Not inlined: g++ 12 would follow the histogram of a struct that has none, and warn of what is never reached.
template <class Of>
[[gnu::noinline]] void expect_none_less(const Of& later, const Of& earlier, std::span<const MetricEntry<Of>> table) {
  for (const MetricEntry<Of>& entry : table) {
    if (entry.histogram != nullptr) {
      for (std::size_t i = 0; i < DurationHistogram::buckets; ++i) {
        EXPECT_GE((later.*entry.histogram).counts[i], (earlier.*entry.histogram).counts[i]) << entry.name;
      }
    }
    if (entry.type != MetricType::counter) continue;
    EXPECT_TRUE(entry.number == nullptr || later.*entry.number >= earlier.*entry.number) << entry.name;
    EXPECT_TRUE(entry.duration == nullptr || later.*entry.duration >= earlier.*entry.duration) << entry.name;
  }
}

// A counter that goes down is a restart for Prometheus, and everything counted so far counts again.
TEST_P(runtime_metrics, what_is_counted_never_goes_down_under_load) {
  auto load = runtime_->spawn([]() -> Task<> {
    for (int i = 0; i < 40; ++i) {
      co_await spawns_and_joins(50, 2);
      co_await sleep(100us);
    }
  }());
  Metrics last = now();
  while (!load.is_finished()) {
    const Metrics next = now();
    expect_none_less(next.scheduler, last.scheduler, scheduler_metrics());
    expect_none_less(next.blocking, last.blocking, blocking_metrics());
    for (std::size_t i = 0; i < next.workers.size(); ++i) {
      expect_none_less(next.workers[i], last.workers[i], worker_metrics());
      EXPECT_LE(next.workers[i].polls_to_end, next.workers[i].polls);
      EXPECT_LE(next.workers[i].queue_depth, 257U);
    }
    for (std::size_t i = 0; i < next.drivers.size(); ++i) {
      expect_none_less(next.drivers[i], last.drivers[i], driver_metrics());
      expect_none_less(next.drivers[i].poller, last.drivers[i].poller, poller_metrics());
    }
    ASSERT_FALSE(HasFailure());
    last = next;
  }
}

// --- tasks

Task<> waits_here(Gate& gate) { co_await gate.wait(); }
Task<> goes_deeper(Gate& gate) { co_await waits_here(gate); }

TEST_P(runtime_metrics, tells_where_tasks_wait_and_were_spawned) {
  Gate gate;
  std::vector<JoinHandle<void>> handles;
  const unsigned line = __LINE__ + 1;
  for (int i = 0; i < 7; ++i) handles.push_back(runtime_->spawn(goes_deeper(gate)));
  const Handle handle = runtime_->handle();
  const auto all_wait = [&] {
    const auto tasks = handle.tasks();
    return tasks.size() == 7 && std::ranges::all_of(tasks, [](const TaskSnapshot& task) {
             return task.phase == TaskPhase::waiting && task.waits_at.line() != 0;
           });
  };
  ASSERT_TRUE(eventually(all_wait));
  for (const TaskSnapshot& task : handle.tasks()) {
    EXPECT_EQ(std::string(task.waits_at.function_name()).find("goes_deeper"), std::string::npos) << "the innermost";
    EXPECT_EQ(task.spawned_at.line(), line);
    EXPECT_GE(task.bytes, sizeof(void*) * 10);
    EXPECT_TRUE(task.name.empty());
    EXPECT_FALSE(task.blocks);
  }
  EXPECT_EQ(handle.tasks(3).size(), 3U);
  const std::vector<SpawnSite> sites = handle.spawn_sites();
  ASSERT_EQ(sites.size(), 1U);
  EXPECT_EQ(sites[0].tasks, 7U);
  EXPECT_EQ(sites[0].at.line(), line);
  EXPECT_GE(sites[0].bytes, 7 * sizeof(void*) * 10);
  gate.open();
  for (auto& one : handles) ASSERT_TRUE(await_within(one));
  EXPECT_TRUE(eventually([&] { return handle.tasks().empty() && handle.spawn_sites().empty(); }));
}

TEST_P(runtime_metrics, tells_what_runs_and_what_blocks) {
  std::atomic<bool> stop{false};
  auto busy = runtime_->spawn([](std::atomic<bool>& until) -> Task<> {
    while (!until) std::this_thread::yield();
    co_return;
  }(stop));
  auto blocks = try_spawn_blocking(runtime_->handle(), [&stop] {
    while (!stop) std::this_thread::yield();
  });
  ASSERT_TRUE(blocks);
  const auto phases = [&] {
    std::multiset<std::pair<TaskPhase, bool>> all;
    for (const TaskSnapshot& task : runtime_->handle().tasks()) all.insert({task.phase, task.blocks});
    return all;
  };
  const std::multiset<std::pair<TaskPhase, bool>> wanted = {{TaskPhase::running, false}, {TaskPhase::running, true}};
  EXPECT_TRUE(eventually([&] { return phases() == wanted; }));
  stop = true;
  ASSERT_TRUE(await_within(busy));
  ASSERT_TRUE(await_within(*blocks));
}

// Who looks claims a task that waits, and a wake that comes then is his to queue: none may be lost, no task be polled
// twice at once, none be forgotten when it is aborted or its scope dies.
TEST_P(runtime_metrics, tasks_that_are_looked_at_all_the_time_lose_nothing) {
  std::atomic<bool> stop{false};
  std::atomic<std::size_t> seen{0};
  const Handle handle = runtime_->handle();
  const auto look = [&] {
    while (!stop) seen += handle.tasks().size() + handle.spawn_sites().size();
  };
  std::thread first(look), second(look);
  for (int round = 0; round < scaled(60, 10); ++round) {
    run([](int n) -> Task<> {
      auto [sender, receiver] = channel<int>(1);
      auto reader = spawn([](Receiver<int> from) -> Task<int> {
        int sum = 0;
        while (auto value = co_await from.receive()) sum += *value;
        co_return sum;
      }(std::move(receiver)));
      auto writer = spawn([](Sender<int> to) -> Task<> {
        for (int i = 0; i < 100; ++i) std::ignore = co_await to.send(i);
      }(std::move(sender)));
      auto aborted = spawn(sleep(1h));
      for (int i = 0; i < n % 4; ++i) co_await yield_now();
      aborted.abort();
      EXPECT_FALSE((co_await aborted).has_value());
      EXPECT_EQ((co_await reader).value(), 4950);
      (co_await writer).value();
    }(round));
    // A scope that dies ends its children here.
    run([]() -> Task<> {
      Scope scope;
      for (int i = 0; i < 5; ++i) scope.spawn(sleep(1h));
      co_await yield_now();
      co_await sleep(50us);
    }());
  }
  stop = true;
  first.join();
  second.join();
  EXPECT_GT(seen.load(), 0U);
  EXPECT_TRUE(eventually([&] { return handle.alive_tasks() == 0; }));
}

TEST_P(runtime_metrics, a_runtime_that_is_shut_down_can_still_be_asked) {
  const Handle handle = runtime_->handle();
  std::atomic<bool> stop{false};
  std::thread looks([&] {
    while (!stop) {
      std::ignore = handle.tasks();
      std::ignore = handle.metrics();
    }
  });
  Gate gate;
  for (int i = 0; i < 100; ++i) std::ignore = runtime_->spawn(goes_deeper(gate));
  runtime_.reset();
  stop = true;
  looks.join();
  const Metrics after = handle.metrics();
  EXPECT_EQ(after.alive_tasks(), 0U);
  EXPECT_EQ(after.scheduler.spawned, 100U);
  EXPECT_TRUE(handle.tasks().empty());
}

// --- what needs a set-up of its own

TEST(metrics_of_workers, overflow_and_inject_queue) {
  Runtime runtime = Builder().workers(1).backend(Backend::epoll).build().value();
  ASSERT_TRUE(completes(runtime, spawns_and_joins(1000, 0)));
  const WorkerMetrics worker = runtime.metrics().workers.at(0);
  EXPECT_GE(worker.overflows, 1U);
  EXPECT_GE(worker.inject_tasks, worker.overflows * 128);
  EXPECT_GE(worker.lifo_polls, 1U);
}

TEST(metrics_of_workers, tasks_are_stolen_and_workers_woken) {
  Runtime runtime = Builder().workers(2).backend(Backend::epoll).build().value();
  const auto is_stolen = [&] {
    std::ignore = completes(runtime, spawns_and_joins(200, 5));
    const WorkerMetrics all = runtime.metrics().all_workers();
    return all.stolen_tasks > 0 && all.steals > 0 && all.steals <= all.stolen_tasks && all.wakes_sent > 0;
  };
  EXPECT_TRUE(eventually(is_stolen));
  const WorkerMetrics all = runtime.metrics().all_workers();
  EXPECT_LE(all.steals, all.steal_attempts);
  EXPECT_GT(all.wakes_avoided, 0U);
}

TEST(metrics_of_workers, forced_yields) {
  Runtime runtime = Builder().workers(1).backend(Backend::epoll).build().value();
  auto hog = []() -> Task<> {
    for (int i = 0; i < 1000; ++i) co_await consume_budget();
  };
  ASSERT_TRUE(completes(runtime, hog()));
  EXPECT_GE(runtime.metrics().workers.at(0).forced_yields, 1000U / 128);
}

TEST(metrics_of_workers, every_poll_is_timed_if_that_is_asked_for) {
  auto runtime = with("metrics.poll_sample", "1", 1);
  ASSERT_TRUE(runtime) << runtime.error().message();
  auto slow = []() -> Task<> {
    std::this_thread::sleep_for(5ms);
    co_await yield_now();
  };
  ASSERT_TRUE(completes(*runtime, slow()));
  ASSERT_TRUE(eventually([&] {
    const WorkerMetrics worker = runtime->metrics().workers.at(0);
    return worker.poll_times.count() == worker.polls;
  }));
  const WorkerMetrics worker = runtime->metrics().workers.at(0);
  EXPECT_EQ(worker.polls, 2U);
  EXPECT_GE(worker.poll_times.sum, 5ms);
  EXPECT_GE(worker.longest_poll, 5ms);
  std::uint64_t slower_than_4ms = 0;
  for (std::size_t i = 0; i < DurationHistogram::buckets; ++i) {
    if (DurationHistogram::upper_bound(i) > 5ms) slower_than_4ms += worker.poll_times.counts[i];
  }
  EXPECT_EQ(slower_than_4ms, 1U);
}

TEST(metrics_of_workers, one_poll_of_so_many_is_timed) {
  auto runtime = with("metrics.poll_sample", "10", 1);
  ASSERT_TRUE(completes(*runtime, yields(999)));
  ASSERT_TRUE(eventually([&] { return runtime->metrics().workers.at(0).poll_times.count() == 100; }));
  auto none = with("metrics.poll_sample", "0", 1);
  ASSERT_TRUE(completes(*none, yields(999)));
  EXPECT_EQ(none->metrics().workers.at(0).poll_times.count(), 0U);
}

TEST(metrics_of_workers, schedule_latency) {
  auto runtime = with("metrics.schedule_latency", "on", 2);
  ASSERT_TRUE(completes(*runtime, spawns_and_joins(200, 3)));
  const auto is_all_measured = [&] {
    const WorkerMetrics all = runtime->metrics().all_workers();
    return all.polls >= 800 && all.schedule_latency.count() == all.polls;
  };
  EXPECT_TRUE(eventually(is_all_measured));
  EXPECT_LT(runtime->metrics().all_workers().schedule_latency.sum, 1h) << "no task was measured from the epoch";
  auto off = with("metrics.schedule_latency", "off", 2);
  ASSERT_TRUE(completes(*off, yields(10)));
  EXPECT_EQ(off->metrics().all_workers().schedule_latency.count(), 0U);
}

TEST(metrics_of_workers, stalls_and_loans) {
  Runtime runtime = Builder().workers(2).backend(Backend::epoll).build().value();
  auto stalls = []() -> Task<> {
    std::this_thread::sleep_for(300ms);
    co_await yield_now();
    block_in_place([] { std::this_thread::sleep_for(300ms); });
  };
  ASSERT_TRUE(completes(runtime, stalls()));
  const WorkerMetrics all = runtime.metrics().all_workers();
  EXPECT_EQ(all.stalls, 1U) << "a worker that was lent does not stall";
  EXPECT_GE(all.longest_poll, 200ms);
  EXPECT_LT(all.longest_poll, 1min);
  EXPECT_EQ(all.loans, 1U);
}

TEST(metrics_of_workers, a_current_thread_runtime_is_busy_only_in_block_on) {
  Runtime runtime = Builder().current_thread().backend(Backend::epoll).build().value();
  runtime.block_on(spawns_and_joins(10, 2));
  const Metrics before = runtime.metrics();
  EXPECT_EQ(before.drivers.size(), 1U);
  EXPECT_EQ(before.scheduler.spawned, 10U);
  EXPECT_GT(before.workers.at(0).busy, 0ns);
  EXPECT_EQ(before.workers.at(0).since_look, 0ns);
  std::this_thread::sleep_for(2ms);
  EXPECT_EQ((runtime.metrics() - before).workers.at(0).busy, 0ns);
}

// --- Prometheus

TEST(prometheus, text_of_a_known_snapshot) {
  Metrics metrics;
  metrics.backend = Backend::epoll;
  metrics.scheduler.spawned = 10;
  metrics.scheduler.ended = 4;
  metrics.workers.resize(2);
  metrics.workers[1].polls = 7;
  metrics.workers[0].busy = 1500ms;
  metrics.workers[0].poll_times.counts[1] = 2;
  metrics.workers[1].poll_times.counts[1] = 1;
  metrics.workers[1].poll_times.counts.back() = 1;
  metrics.workers[1].poll_times.sum = 20s + 1ns;
  metrics.drivers.resize(3);
  metrics.drivers[2].poller.waits = 3;
  const std::vector<SpawnSite> sites = {{std::source_location::current(), 3, 960}};
  const std::string text = to_prometheus(metrics, sites);
  const auto has = [&](std::string_view line) {
    return text.find("\n" + std::string(line) + "\n") != std::string::npos;
  };
  EXPECT_TRUE(has("skua_info{backend=\"epoll\",reactor_mode=\"workers\"} 1"));
  EXPECT_TRUE(has("# TYPE skua_tasks gauge"));
  EXPECT_TRUE(has("skua_tasks 6"));
  EXPECT_TRUE(has("# TYPE skua_worker_polls_total counter"));
  EXPECT_TRUE(has("skua_worker_polls_total{worker=\"1\"} 7"));
  EXPECT_TRUE(has("skua_worker_busy_seconds_total{worker=\"0\"} 1.5"));
  EXPECT_TRUE(has("skua_worker_busy_seconds_total{worker=\"1\"} 0"));
  EXPECT_TRUE(has("# TYPE skua_poll_seconds histogram"));
  EXPECT_TRUE(has("skua_poll_seconds_bucket{le=\"0.000001024\"} 0"));
  EXPECT_TRUE(has("skua_poll_seconds_bucket{le=\"0.000002048\"} 3"));
  EXPECT_TRUE(has("skua_poll_seconds_bucket{le=\"17.179869184\"} 3"));
  EXPECT_TRUE(has("skua_poll_seconds_bucket{le=\"+Inf\"} 4"));
  EXPECT_TRUE(has("skua_poll_seconds_sum 20.000000001"));
  EXPECT_TRUE(has("skua_poll_seconds_count 4"));
  EXPECT_TRUE(has("skua_driver_waits_total{driver=\"reactor\"} 3"));
  EXPECT_TRUE(has("skua_driver_waits_total{driver=\"1\"} 0"));
  EXPECT_NE(text.find("metrics_test.cpp\",line=\""), std::string::npos);
  EXPECT_TRUE(text.ends_with("\n"));
}

struct Listed {
  std::string type;
  std::string help;
  friend bool operator==(const Listed&, const Listed&) = default;
};

std::map<std::string, Listed> every_metric() {
  std::map<std::string, Listed> all;
  const auto name_of_type = [](MetricType type) -> std::string {
    if (type == MetricType::counter) return "counter";
    return type == MetricType::histogram ? "histogram" : "gauge";
  };
  const auto add = [&](const auto& table) {
    for (const auto& entry : table) {
      all[std::string(entry.name)] = {name_of_type(entry.type), std::string(entry.help)};
    }
  };
  add(computed_metrics());
  add(scheduler_metrics());
  add(worker_metrics());
  add(poller_metrics());
  add(driver_metrics());
  add(blocking_metrics());
  return all;
}

// promtool is the judge of names, types and form.
TEST(prometheus, promtool_has_nothing_to_say) {
  if (std::system("command -v promtool >/dev/null") != 0) GTEST_SKIP() << "there is no promtool";
  Runtime runtime = Builder().workers(2).build().value();
  ASSERT_TRUE(completes(runtime, spawns_and_joins(100, 3)));
  Gate gate;
  auto waits = runtime.spawn(waits_here(gate));
  const std::string file = testing::TempDir() + "skua_metrics_" + std::to_string(::getpid());
  std::ofstream(file) << to_prometheus(runtime.metrics(), runtime.handle().spawn_sites());
  EXPECT_EQ(std::system(("promtool check metrics <" + file + " >" + file + ".said 2>&1").c_str()), 0);
  std::stringstream said;
  said << std::ifstream(file + ".said").rdbuf();
  EXPECT_EQ(said.str(), "");
  std::filesystem::remove(file);
  std::filesystem::remove(file + ".said");
  gate.open();
  ASSERT_TRUE(await_within(waits));
}

TEST(prometheus, every_metric_is_in_the_text_and_counters_end_in_total) {
  Metrics metrics;
  metrics.workers.resize(1);
  metrics.drivers.resize(1);
  const std::string text = to_prometheus(metrics, std::vector<SpawnSite>(1));
  for (const auto& [name, listed] : every_metric()) {
    EXPECT_NE(text.find("# HELP " + name + " " + listed.help + "\n# TYPE " + name + " " + listed.type + "\n"),
              std::string::npos)
        << name;
    EXPECT_EQ(name.ends_with("_total"), listed.type == "counter") << name;
  }
}

// docs/metrics.md has a row for each metric, with its type and the words of the table, and none besides.
TEST(prometheus, the_reference_is_complete) {
  std::map<std::string, Listed> documented;
  std::ifstream page(SKUA_SOURCE_DIR "/docs/metrics.md");
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `skua_")) continue;
    std::vector<std::string> cells;
    std::stringstream row(line);
    for (std::string cell; std::getline(row, cell, '|');) {
      const auto first = cell.find_first_not_of(" `");
      cells.push_back(first == std::string::npos ? "" : cell.substr(first, cell.find_last_not_of(" `") - first + 1));
    }
    ASSERT_GE(cells.size(), 4U) << line;
    documented[cells[1]] = {cells[2], cells[3]};
  }
  std::string wanted;
  for (const auto& [name, listed] : every_metric()) {
    wanted += "| `" + name + "` | " + listed.type + " | " + listed.help + " |\n";
  }
  EXPECT_EQ(documented.size(), every_metric().size()) << "the rows should be:\n" << wanted;
  for (const auto& [name, listed] : every_metric()) {
    EXPECT_EQ(documented[name], listed) << name << "\nthe rows should be:\n" << wanted;
    if (HasFailure()) break;
  }
}

// docs/tuning.md sends nobody to a number or a key that there is not, or that cannot change when it says so.
TEST(prometheus, the_tuning_page_names_what_there_is) {
  std::stringstream page;
  page << std::ifstream(SKUA_SOURCE_DIR "/docs/tuning.md").rdbuf();
  const std::string text = page.str();
  const auto each = [&](const char* pattern, auto see) {
    const std::regex expression(pattern);
    int count = 0;
    for (std::sregex_iterator match(text.begin(), text.end(), expression), end; match != end; ++match, ++count) {
      see((*match)[1].str());
    }
    return count;
  };
  EXPECT_GT(each("(skua_[a-z_]+)", [](const std::string& name) { EXPECT_EQ(every_metric().count(name), 1U) << name; }),
            20);
  EXPECT_GT(each("`([a-z_.]+)`\\*",
                 [](const std::string& key) {
                   const OptionEntry* const option = find_option(key);
                   EXPECT_TRUE(option != nullptr && option->is_hot()) << key;
                 }),
            5);
  EXPECT_GT(each("`([a-z_]+\\.[a-z_]+)(?: = [^`]+)?`",
                 [](const std::string& key) { EXPECT_TRUE(find_option(key) != nullptr || key == "cpu.stat") << key; }),
            5);
}

}  // namespace
}  // namespace skua::tests
