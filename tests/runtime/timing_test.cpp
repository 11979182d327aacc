// What takes time, measured: runs while nothing else does.
#include "each_runtime.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

class timing : public EachRuntime {};
INSTANTIATE_TEST_SUITE_P(on, timing, each_setup, [](const auto& parameter) { return name_of(parameter.param); });
// A busy worker needs another that helps, with drivers of their own, on both back ends.
INSTANTIATE_TEST_SUITE_P(on_two, timing, testing::Values(Setup{Backend::epoll, ReactorMode::workers, 2}),
                         [](const auto& parameter) { return name_of(parameter.param); });

double milliseconds(Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

/// Notes a measured value in the test's output and report.
void report(const char* what, Duration value) {
  std::printf("  %s: %.2f ms\n", what, milliseconds(value));
  testing::Test::RecordProperty(what, std::to_string(milliseconds(value)));
}

// Sanitizers multiply what the program itself does; the machine is shared at that.
constexpr Duration generous(Duration limit) { return sanitized ? 5 * limit : limit; }

TEST_P(timing, sleep_ends_within_fifty_milliseconds) {
  auto body = []() -> Task<Duration> {
    Duration worst{};
    for (int i = 0; i < 20; ++i) {
      const Instant due = now() + Duration(i * 700us);
      co_await sleep_until(due);
      worst = std::max(worst, Duration(now() - due));
    }
    co_return worst;
  };
  const Duration worst = run(body());
  report("worst lateness of a sleep", worst);
  EXPECT_LT(worst, generous(50ms));
}

struct Pair {
  Pair(TcpStream a, TcpStream b) noexcept : client(std::move(a)), server(std::move(b)) {}
  TcpStream client;
  TcpStream server;
};
Task<Pair> connect_pair() {
  TcpListener listener = TcpListener::bind(SocketAddress::loopback(0)).value();
  TcpStream client = (co_await TcpStream::connect(listener.local_address().value())).value();
  Accepted accepted = (co_await listener.accept()).value();
  co_return Pair(std::move(client), std::move(accepted.stream));
}

Task<> always_ready(Pair& pair) {
  std::array<char, 1> byte{};
  for (;;) {
    (co_await pair.client.write_all(byte)).value();
    (co_await pair.server.read(byte)).value();
  }
}

TEST_P(timing, timeout_around_a_loop_that_is_always_ready) {
  auto body = []() -> Task<Duration> {
    Pair pair = co_await connect_pair();
    const Instant due = now() + 20ms;
    static_cast<void>(co_await timeout(20ms, always_ready(pair)));
    co_return now() - due;
  };
  // The best of three: others may take the processors from us for longer than that, the loop does it each time.
  const Duration late = std::min({run(body()), run(body()), run(body())});
  report("lateness of the timeout", late);
  EXPECT_LT(late, generous(60ms));
}

Task<> computes_in_pieces_of_a_millisecond(const std::atomic<bool>& done) {
  while (!done.load()) {
    for (const Instant end = now() + 1ms; now() < end;) {
    }
    co_await yield_now();
  }
}

// Two tasks for each worker never let it sleep, and leave it only every millisecond.
TEST_P(timing, timer_does_not_wait_for_sixty_polls_of_a_millisecond) {
  auto body = []() -> Task<Duration> {
    std::atomic<bool> done{false};
    std::vector<JoinHandle<void>> tasks;
    for (std::uint32_t i = 0; i < 2 * Handle::current().workers(); ++i) {
      tasks.push_back(spawn(computes_in_pieces_of_a_millisecond(done)));
    }
    co_await sleep(100ms);  // the workers have got their pace
    Duration worst{};
    for (int i = 0; i < 10; ++i) {
      const Instant due = now() + 5ms;
      co_await sleep_until(due);
      worst = std::max(worst, Duration(now() - due));
    }
    done = true;
    for (auto& task : tasks) static_cast<void>(co_await task);
    co_return worst;
  };
  const Duration worst = run(body());
  report("worst lateness of a sleep behind computing tasks", worst);
  EXPECT_LT(worst, generous(30ms));
}

struct NotesDestruction {
  explicit NotesDestruction(std::atomic<std::int64_t>& to) : at(&to) {}
  NotesDestruction(NotesDestruction&& other) noexcept : at(std::exchange(other.at, nullptr)) {}
  NotesDestruction& operator=(NotesDestruction&&) = delete;
  ~NotesDestruction() {
    if (at != nullptr) at->store(now().time_since_epoch().count());
  }
  std::atomic<std::int64_t>* at;
};
Task<> sleeps(NotesDestruction) { co_await sleep(1h); }

TEST_P(timing, abort_and_drop_destroys_the_future_within_a_hundred_milliseconds) {
  for (int i = 0; i < 10; ++i) {
    std::atomic<std::int64_t> destroyed{0};
    auto handle = runtime_->spawn(sleeps(NotesDestruction(destroyed)));
    if (i % 2 == 0) std::this_thread::sleep_for(2ms);
    const Instant begin = now();
    handle.abort();
    std::move(handle).detach();
    ASSERT_TRUE(eventually([&] { return destroyed.load() != 0; }));
    EXPECT_LT(Duration(destroyed.load()) - begin.time_since_epoch(), generous(100ms));
  }
}

// --- A worker that is busy for 300 ms -------------------------------------------------------------------------------

/// Is fed a byte from outside every few milliseconds; returns how long the worst took to be read.
Task<Duration> worst_delay(TcpStream stream, std::atomic<std::int64_t>& sent_at, int bytes) {
  Duration worst{};
  for (int i = 0; i < bytes; ++i) {
    std::array<char, 1> byte;
    if ((co_await stream.read(byte)).value() == 0) break;
    worst = std::max(worst, now().time_since_epoch() - Duration(sent_at.load()));
  }
  co_return worst;
}

Task<> busy_for(Duration length, std::atomic<bool>& begun) {
  const Instant end = now() + length;
  begun = true;
  while (now() < end) {
  }
  co_return;
}

TEST_P(timing, sockets_of_a_busy_worker_are_served_by_the_other) {
  if (GetParam().workers < 2) GTEST_SKIP() << "with one worker there is no other";
  Runtime outside = build({GetParam().backend, ReactorMode::thread, 1}).value();
  Duration worst{};
  for (int round = 0; round < 3; ++round) {
    std::atomic<std::int64_t> sent_at{0};
    std::atomic<bool> begun{false};
    Pair pair = outside.block_on(connect_pair());
    auto reader = runtime_->spawn(worst_delay(std::move(pair.server), sent_at, 15));
    const auto send = [&] {
      sent_at = now().time_since_epoch().count();
      ASSERT_EQ(::send(pair.client.socket().native_handle(), "x", 1, MSG_NOSIGNAL), 1);
    };
    send();
    std::this_thread::sleep_for(5ms);
    // The reader's home is the worker it ran on; a busy task lands there or on the other: over the rounds, on both.
    auto busy = runtime_->spawn(busy_for(300ms, begun));
    ASSERT_TRUE(eventually([&] { return begun.load(); }));
    for (int i = 1; i < 15; ++i) {
      std::this_thread::sleep_for(10ms);
      send();
    }
    worst = std::max(worst, await_within(reader)->value());
    static_cast<void>(await_within(busy));
  }
  report("worst delay of a socket's task", worst);
  EXPECT_LT(worst, generous(40ms));
}

/// Opens a file, which is done elsewhere, and leaves its worker to a task that does not let go of it.
Task<Duration> delay_of_a_file_operation(std::string path) {
  std::atomic<bool> begun{false};
  const auto options = fs::OpenOptions().write(true).create(true);
  auto busy = spawn(busy_for(300ms, begun));  // into the LIFO slot of this worker
  const Instant begin = now();
  (co_await fs::File::open(path, options)).value();
  const Duration delay = now() - begin;
  static_cast<void>(co_await busy);
  co_return delay;
}

TEST_P(timing, file_operations_of_a_busy_worker_are_ended_by_the_other) {
  if (GetParam().workers < 2) GTEST_SKIP() << "with one worker there is no other";
  std::string path = (std::filesystem::temp_directory_path() / "skua-timing-test-XXXXXX").string();
  ::close(::mkstemp(path.data()));
  Duration worst{};
  for (int i = 0; i < 5; ++i) worst = std::max(worst, run(delay_of_a_file_operation(path)));
  std::filesystem::remove(path);
  report("worst delay of a file operation", worst);
  EXPECT_LT(worst, generous(40ms));
}

Task<Duration> waits_in_the_slot() {
  struct Shared {
    std::atomic<std::int64_t> ran_at{0};
  };
  auto shared = std::make_shared<Shared>();
  auto next = [](std::shared_ptr<Shared> to) -> Task<> {
    to->ran_at = now().time_since_epoch().count();
    co_return;
  };
  const Instant begin = now();
  spawn(next(shared)).detach();  // into the LIFO slot of this worker
  while (now() < begin + 300ms && shared->ran_at == 0) {
  }
  co_return shared->ran_at == 0 ? Duration(300ms) : Duration(shared->ran_at.load()) - begin.time_since_epoch();
}

TEST_P(timing, task_in_the_slot_of_a_busy_worker_is_run_by_the_other) {
  if (GetParam().workers < 2) GTEST_SKIP() << "with one worker there is no other";
  Duration worst{};
  for (int i = 0; i < 3; ++i) worst = std::max(worst, run(waits_in_the_slot()));
  report("worst delay of the slot's task", worst);
  EXPECT_LT(worst, generous(40ms));
}

// --- Idle -----------------------------------------------------------------------------------------------------------

Duration processor_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

TEST_P(timing, idle_runtime_takes_no_processor_time) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = std::max(limit.rlim_cur, std::min<rlim_t>(limit.rlim_max, 4096));
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const int connections = limit.rlim_cur >= 4096 ? 1000 : 200;
  auto reads = [](TcpStream stream) -> Task<> {
    std::array<char, 1> byte;
    static_cast<void>(co_await stream.read(byte));
  };
  auto sleeper = []() -> Task<> { co_await sleep(1h); };
  auto set_up = [&](std::vector<TcpStream>& kept) -> Task<> {
    for (int i = 0; i < connections; ++i) {
      Pair pair = co_await connect_pair();
      spawn(reads(std::move(pair.server))).detach();
      kept.push_back(std::move(pair.client));
      spawn(sleeper()).detach();
    }
  };
  std::vector<TcpStream> kept;
  run(set_up(kept));
  std::this_thread::sleep_for(100ms);  // until the monitor rests
  const Duration before = processor_time();
  std::this_thread::sleep_for(2s);
  const Duration used = processor_time() - before;
  report("processor time in 2 s", used);
  EXPECT_LT(used, generous(20ms));
}

// --- Many runtimes --------------------------------------------------------------------------------------------------

Task<int> answer() { co_return 42; }

// 300 under sanitizers: a thread costs them milliseconds, and what may leak does so in each.
TEST_P(timing, ten_thousand_runtimes_leave_nothing_behind) {
  runtime_.reset();
  const std::size_t descriptors = open_descriptors();
  const std::size_t threads = running_threads();
  const Instant begin = now();
  for (int i = 0; i < scaled(2'500, 75); ++i) {  // of each of the four kinds
    Runtime another = build(GetParam()).value();
    ASSERT_EQ(another.block_on(answer()), 42);
  }
  report("2,500 runtimes", now() - begin);
  EXPECT_EQ(open_descriptors(), descriptors);
  EXPECT_TRUE(eventually([&] { return running_threads() == threads; }));
  EXPECT_LT(now() - begin, 60s);
}

}  // namespace
}  // namespace skua::tests
