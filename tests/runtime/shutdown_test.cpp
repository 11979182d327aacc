// Runtime::shutdown(): what it drains, ends, waits for and reports; and at random moments under load.
#include "each_runtime.hpp"

#include <skua/core/random.hpp>

#include <array>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

struct Form {
  Backend backend;
  std::uint32_t workers;  // 0: current-thread
};
std::string name_of(const Form& form) {
  return std::string(form.backend == Backend::epoll ? "epoll" : "io_uring") + "_" +
         (form.workers == 0 ? "current_thread" : std::to_string(form.workers));
}
void PrintTo(const Form& form, std::ostream* out) { *out << name_of(form); }

Result<Runtime> build(const Form& form, Builder builder = Builder()) {
  builder.backend(form.backend);
  if (form.workers == 0) return builder.current_thread().build();
  return builder.workers(form.workers).build();
}

constexpr Form every_form[] = {
    {Backend::io_uring, 0}, {Backend::io_uring, 2}, {Backend::epoll, 0}, {Backend::epoll, 1}};

class shutdown : public testing::TestWithParam<Form> {
 protected:
  void SetUp() override {
    std::thread([] {}).join();  // with the first thread, thread sanitizer starts one of its own
    threads_ = running_threads();
    auto runtime = build(GetParam());
    if (!runtime) GTEST_SKIP() << "refused here: " << runtime.error().message();
    runtime_.emplace(*std::move(runtime));
  }
  /// Runs it until that many tasks sleep.
  void run_until_timers(std::size_t count) {
    EXPECT_TRUE(eventually([&] {
      run_for(1ms);
      return runtime_->handle().counters().timers == count;
    }));
  }
  bool is_current_thread() const { return GetParam().workers == 0; }
  /// Lets tasks begin.
  void run_for(Duration duration) {
    auto body = [](Duration time) -> Task<> { co_await sleep(time); };
    runtime_->block_on(body(duration));
  }
  std::size_t threads_ = 0;
  std::optional<Runtime> runtime_;
};
INSTANTIATE_TEST_SUITE_P(on, shutdown, testing::ValuesIn(every_form),
                         [](const auto& parameter) { return name_of(parameter.param); });

constexpr Duration ample = 30s;

Task<> waits_for_ever() { co_await sleep(1000h); }

TEST_P(shutdown, ends_what_waits_and_leaves_nothing) {
  Census census;
  auto waits = [](Counted) -> Task<> { co_await sleep(1000h); };
  std::vector<JoinHandle<void>> handles;
  for (int i = 0; i < 100; ++i) handles.push_back(runtime_->spawn(waits(Counted(census))));
  run_until_timers(100);
  EXPECT_EQ(runtime_->handle().counters().tasks, 100U);
  const ShutdownReport report = runtime_->shutdown(ample);
  EXPECT_TRUE(report.is_complete);
  EXPECT_TRUE(report.refused.empty()) << "no time was given to end";
  EXPECT_EQ(report.left, RuntimeCounters()) << report.left.to_string();
  EXPECT_EQ(report.to_string(), "");
  EXPECT_EQ(census.alive(), 0);
  EXPECT_TRUE(eventually([&] { return running_threads() <= threads_; }));
  for (auto& handle : handles) EXPECT_TRUE(handle.is_finished());
  auto late = runtime_->spawn(waits(Counted(census)));
  EXPECT_TRUE(late.is_finished()) << "refused";
  EXPECT_EQ(runtime_->handle().counters(), RuntimeCounters());
}

Task<int> ends_soon(CancellationToken stop) {
  std::ignore = co_await stop.cancelled();
  auto child = []() -> Task<int> {
    co_await sleep(2ms);
    co_return 1;
  };
  auto handle = spawn(child());  // tasks that drain may spawn
  co_return (co_await handle).value() + 1;
}

TEST_P(shutdown, drains_within_the_grace) {
  CancellationToken stop;
  std::vector<JoinHandle<int>> handles;
  for (int i = 0; i < 20; ++i) handles.push_back(runtime_->spawn(ends_soon(stop.child())));
  run_for(1ms);
  stop.cancel(CancelReason::shutdown);
  const ShutdownReport report = runtime_->shutdown(ample, ample);
  EXPECT_TRUE(report.is_complete);
  EXPECT_TRUE(report.refused.empty()) << report.to_string();
  for (auto& handle : handles) EXPECT_EQ(handle.take_output().value(), 2);
}

TEST_P(shutdown, drain_waits_for_functions_that_block) {
  std::atomic<bool> ended{false};
  auto function = [&ended] {
    std::this_thread::sleep_for(20ms);
    ended = true;
  };
  auto handle = try_spawn_blocking(runtime_->handle(), function);
  ASSERT_TRUE(handle);
  const ShutdownReport report = runtime_->shutdown(ample, ample);
  EXPECT_TRUE(report.is_complete);
  EXPECT_TRUE(ended);
  EXPECT_TRUE(handle->take_output());
}

TEST_P(shutdown, names_who_does_not_end_in_the_grace_and_the_line_where_it_waits) {
  std::uint32_t line = 0;
  auto outer = [](std::uint32_t& here) -> Task<> {
    auto inner = [](std::uint32_t& where) -> Task<> {
      where = __LINE__ + 1;
      co_await sleep(1000h);
    };
    co_await inner(here);
  };
  auto body = [&]() -> Task<> {
    spawn_named("sleeper", outer(line)).detach();
    co_return;
  };
  runtime_->block_on(body());
  run_until_timers(1);
  const ShutdownReport report = runtime_->shutdown(ample, 5ms);
  EXPECT_TRUE(report.is_complete);
  ASSERT_EQ(report.refused.size(), 1U);
  EXPECT_EQ(report.refused[0].name, "sleeper");
  EXPECT_EQ(report.refused[0].why, Refusal::waiting);
  EXPECT_EQ(report.refused[0].at.line(), line);
  EXPECT_NE(report.to_string().find("(sleeper), waiting at " __FILE__ ":" + std::to_string(line)), std::string::npos)
      << report.to_string();
}

TEST_P(shutdown, names_the_poll_that_does_not_return) {
  if (is_current_thread()) GTEST_SKIP() << "a poll runs on the thread that would shut down";
  std::latch inside(1);
  std::latch release(1);
  auto hangs = [](std::latch& entered, std::latch& until) -> Task<> {
    entered.count_down();
    until.wait();
    co_return;
  };
  const std::uint32_t line = __LINE__ + 1;
  auto handle = runtime_->spawn(hangs(inside, release));
  inside.wait();
  auto waiting = runtime_->spawn(waits_for_ever());
  const ShutdownReport report = runtime_->shutdown(20ms);
  EXPECT_FALSE(report.is_complete);
  EXPECT_GE(report.left.tasks, 1U);
  bool named = false;
  for (const RefusedTask& task : report.refused) {
    if (task.id != handle.id()) {
      EXPECT_EQ(task.id, waiting.id());
      EXPECT_EQ(task.why, Refusal::unreached);
      continue;
    }
    named = true;
    EXPECT_EQ(task.why, Refusal::polling);
    EXPECT_EQ(task.at.line(), line);
  }
  EXPECT_TRUE(named) << report.to_string();
  // When it returns, the rest of the shutdown follows by itself.
  const Handle runtime = runtime_->handle();
  runtime_.reset();
  release.count_down();
  EXPECT_TRUE(eventually([&] { return running_threads() <= threads_; }, 20s));
  EXPECT_TRUE(handle.is_finished() && waiting.is_finished());
  EXPECT_EQ(runtime.counters(), RuntimeCounters()) << runtime.counters().to_string();
}

TEST_P(shutdown, names_the_function_that_does_not_return) {
  std::latch inside(2);
  std::latch release(1);
  auto hangs = [&] {
    inside.count_down();
    release.wait();
    return 7;
  };
  const std::uint32_t line = __LINE__ + 1;
  auto handle = try_spawn_blocking(runtime_->handle(), hangs).value();
  auto unblocked = runtime_->spawn(unblock(hangs));
  run_for(1ms);
  inside.wait();
  const ShutdownReport report = runtime_->shutdown(20ms);
  EXPECT_FALSE(report.is_complete);
  EXPECT_EQ(report.left.blocking, 2U);
  EXPECT_EQ(report.left.tasks, 1U) << "the task that awaited unblock() has ended";
  ASSERT_EQ(report.refused.size(), 1U);
  EXPECT_EQ(report.refused[0].id, handle.id());
  EXPECT_EQ(report.refused[0].why, Refusal::blocking);
  EXPECT_EQ(report.refused[0].at.line(), line);
  const Handle runtime = runtime_->handle();
  runtime_.reset();
  release.count_down();
  EXPECT_TRUE(eventually([&] { return running_threads() <= threads_; }, 20s));
  EXPECT_EQ(handle.take_output().value(), 7) << "its output is not lost";
  EXPECT_EQ(runtime.counters(), RuntimeCounters()) << runtime.counters().to_string();
}

TEST_P(shutdown, destroys_functions_that_have_not_begun) {
  std::atomic<int> called{0};
  std::latch inside(1);
  std::latch release(1);
  runtime_.reset();
  auto one_thread = build(GetParam(), Builder().blocking_threads(1)).value();
  auto hangs = [&] {
    inside.count_down();
    release.wait();
  };
  auto counts = [&called] { ++called; };
  auto first = try_spawn_blocking(one_thread.handle(), hangs).value();
  inside.wait();
  std::vector<JoinHandle<void>> handles;
  for (int i = 0; i < 10; ++i) handles.push_back(try_spawn_blocking(one_thread.handle(), counts).value());
  std::thread releases([&] {
    for (const auto& handle : handles) EXPECT_TRUE(eventually([&] { return handle.is_finished(); }));
    release.count_down();
  });
  EXPECT_TRUE(one_thread.shutdown(ample).is_complete);
  releases.join();
  EXPECT_EQ(called, 0);
  for (auto& handle : handles) EXPECT_TRUE(handle.take_output().error().is_cancelled());
  EXPECT_TRUE(first.take_output()) << "what has begun is waited for";
  EXPECT_EQ(try_spawn_blocking(one_thread.handle(), counts).error(), std::errc::operation_canceled);
}

TEST_P(shutdown, in_a_task_ends_the_program) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  if (GetParam().backend == Backend::io_uring) GTEST_SKIP() << "the same on both";
  auto body = [](Runtime& runtime) -> Task<> {
    runtime.shutdown(1s);
    co_return;
  };
  EXPECT_DEATH(runtime_->block_on(body(*runtime_)), "by a thread that works for it");
}

// --- at random moments under load -----------------------------------------------------------------------------------

Task<Result<void>> echo(TcpStream stream) {
  std::array<char, 256> buffer{};
  for (;;) {
    const std::size_t n = co_await try_(stream.read(buffer));
    if (n == 0) co_return {};
    co_await try_(stream.write_all({buffer.data(), n}));
  }
}
Task<Result<void>> serves(TcpListener listener) {
  for (;;) {
    Accepted accepted = co_await try_(listener.accept());
    spawn(echo(std::move(accepted.stream))).detach();
  }
}
Task<Result<void>> calls(SocketAddress address) {
  for (;;) {
    TcpStream stream = co_await try_(TcpStream::connect(address));
    std::array<char, 16> buffer{};
    for (int i = 0; i < 20; ++i) {
      co_await try_(stream.write_all(std::string_view("0123456789abcdef")));
      co_await try_(read_exact(stream, buffer));
    }
  }
}
Task<Result<void>> traffic() {
  TcpListener listener = co_await try_(TcpListener::bind(SocketAddress::parse("127.0.0.1:0").value()));
  const SocketAddress address = co_await try_(listener.local_address());
  spawn(serves(std::move(listener))).detach();
  for (int i = 0; i < 3; ++i) spawn(calls(address)).detach();
  co_return {};
}
Task<> timers(std::uint64_t seed) {
  seam::Random random(seed);
  for (;;) {
    auto body = [](Duration time) -> Task<> { co_await sleep(time); };
    spawn(body(std::chrono::microseconds(random.below(3000)))).detach();
    std::ignore = co_await timeout(std::chrono::microseconds(random.below(500)), sleep(1h));
  }
}
Task<> sends(Sender<int> to) {
  for (int i = 0;; ++i) {
    const Result<void> sent = co_await to.send(i);
    if (!sent) co_return;
  }
}
Task<> receives(Receiver<int> from) {
  for (;;) {
    const std::optional<int> received = co_await from.receive();
    if (!received) co_return;
  }
}
void busy_for(Duration time) {
  const Instant end = now() + time;
  while (now() < end) {
  }
}
Task<Result<void>> blocks() {
  for (;;) {
    auto function = [] { busy_for(50us); };
    auto handle = co_await spawn_blocking(function);
    if (!handle) co_return std::move(handle).error();
    std::ignore = co_await *handle;
    co_await try_(unblock(function));
    co_await try_(fs::read_to_string("/proc/self/comm"));
  }
}
Task<> storms(int depth) {
  for (;;) {
    for (int i = 0; i < 4 && depth > 0; ++i) {
      auto leaf = [](int level) -> Task<> {
        co_await yield_now();
        if (level > 0) spawn(storms(0)).abort_handle().abort();
      };
      spawn(leaf(depth)).detach();
    }
    co_await yield_now();
    if (depth == 0) co_return;
  }
}

void load(Runtime& runtime, seam::Random& random) {
  if (random.below(4) != 0) runtime.spawn(traffic()).detach();
  for (std::uint32_t i = random.below(3); i > 0; --i) runtime.spawn(timers(random.below(1000))).detach();
  for (std::uint32_t i = random.below(3); i > 0; --i) {
    auto [sender, receiver] = channel<int>(1 + random.below(3));
    runtime.spawn(sends(std::move(sender))).detach();
    runtime.spawn(receives(std::move(receiver))).detach();
  }
  for (std::uint32_t i = random.below(3); i > 0; --i) runtime.spawn(blocks()).detach();
  if (random.below(2) == 0) runtime.spawn(storms(1)).detach();
}

/// How the runtime is run until the end comes.
void run(Runtime& runtime, const Form& form, Duration time, bool in_loop) {
  if (form.workers != 0) return std::this_thread::sleep_for(time);
  if (!in_loop) {
    auto body = [](Duration duration) -> Task<> { co_await sleep(duration); };
    return runtime.block_on(body(time));
  }
  for (const Instant end = now() + time; now() < end;) runtime.run_once();
}

void shut_down_once(const Form& form, std::uint64_t seed) {
  seam::Random random(seed);
  auto built = build(form, Builder().blocking_threads(1 + random.below(3)).blocking_queue(1 + random.below(3)));
  ASSERT_TRUE(built) << built.error().message();
  Runtime runtime = *std::move(built);
  load(runtime, random);
  std::atomic<bool> stop{false};
  std::thread foreign;
  if (random.below(3) == 0) {  // spawns during the shutdown
    foreign = std::thread([&stop, handle = runtime.handle()] {
      while (!stop) {
        auto body = []() -> Task<> { co_await yield_now(); };
        for (int i = 0; i < 16; ++i) handle.spawn(body()).detach();
        std::this_thread::sleep_for(20us);
      }
    });
  }
  run(runtime, form, std::chrono::microseconds(random.below(random.below(2) == 0 ? 300 : 4000)), random.below(2) == 0);
  const Duration grace = random.below(3) == 0 ? std::chrono::microseconds(random.below(2000)) : 0us;
  const ShutdownReport report = runtime.shutdown(ample, grace);
  stop = true;
  if (foreign.joinable()) foreign.join();
  EXPECT_TRUE(report.is_complete) << report.to_string();
  EXPECT_EQ(report.left, RuntimeCounters()) << report.left.to_string();
  EXPECT_EQ(runtime.handle().counters(), RuntimeCounters()) << runtime.handle().counters().to_string();
  for (const RefusedTask& task : report.refused) {
    EXPECT_EQ(task.why, Refusal::waiting) << task.to_string();
    EXPECT_NE(task.at.line(), 0U);
  }
}

/// SKUA_SHUTDOWN_SEED repeats one of them.
TEST(shutdown_at_random, five_hundred_times_under_load) {
  constexpr Form forms[] = {{Backend::io_uring, 0}, {Backend::epoll, 0}, {Backend::io_uring, 1}, {Backend::epoll, 1},
                            {Backend::io_uring, 2}, {Backend::epoll, 2}, {Backend::io_uring, 3}, {Backend::epoll, 4},
                            {Backend::io_uring, 4}, {Backend::epoll, 3}};
  const char* const chosen = std::getenv("SKUA_SHUTDOWN_SEED");
  const std::uint64_t first =
      chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : seam::random_seed() % 1'000'000'000;
  const std::size_t count = chosen != nullptr ? 1 : at_scale(scaled<std::size_t>(500, 60));
  const bool has_io_uring = Builder().backend(Backend::io_uring).workers(1).build().has_value();
  std::cout << "seeds from " << first << std::endl;
  const std::size_t threads = running_threads();
  const std::size_t descriptors = open_descriptors();
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const Form& form = forms[seed % std::size(forms)];
    if (form.backend == Backend::io_uring && !has_io_uring) continue;
    shut_down_once(form, seed);
    if (testing::Test::HasFailure()) FAIL() << "SKUA_SHUTDOWN_SEED=" << seed << " repeats it, on " << name_of(form);
  }
  EXPECT_TRUE(eventually([&] { return running_threads() <= threads; })) << running_threads();
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= descriptors; })) << open_descriptors();
}

}  // namespace
}  // namespace skua::tests
