// The current-thread runtime: block_on(), loops of others, several runtimes side by side.
#include "each_runtime.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

Result<Runtime> build_current(Backend backend) { return Builder().backend(backend).current_thread().build(); }

class current_thread : public testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    auto runtime = build_current(GetParam());
    if (!runtime) GTEST_SKIP() << "refused here: " << runtime.error().message();
    runtime_.emplace(*std::move(runtime));
  }
  std::optional<Runtime> runtime_;
};
INSTANTIATE_TEST_SUITE_P(on, current_thread, testing::Values(Backend::io_uring, Backend::epoll),
                         [](const auto& backend) {
                           return std::string(backend.param == Backend::epoll ? "epoll" : "io_uring");
                         });
class current_thread_misuse : public current_thread {};
INSTANTIATE_TEST_SUITE_P(on, current_thread_misuse, testing::Values(Backend::epoll),
                         [](const auto&) { return std::string("epoll"); });

Task<std::thread::id> where() {
  co_await yield_now();
  co_return std::this_thread::get_id();
}

Task<int> sums_tasks(std::set<std::thread::id>& threads, int count) {
  std::vector<JoinHandle<std::thread::id>> handles;
  for (int i = 0; i < count; ++i) handles.push_back(spawn(where()));
  int done = 0;
  for (auto& handle : handles) {
    threads.insert((co_await handle).value());
    ++done;
  }
  co_return done;
}

TEST_P(current_thread, tasks_run_on_the_thread_that_blocks_and_on_no_other) {
  const std::size_t threads_before = running_threads();
  std::set<std::thread::id> threads;
  EXPECT_EQ(runtime_->block_on(sums_tasks(threads, 300)), 300);
  EXPECT_EQ(threads, std::set{std::this_thread::get_id()});
  EXPECT_EQ(running_threads(), threads_before);
  EXPECT_EQ(runtime_->handle().workers(), 1U);
}

Task<> sets(std::atomic<bool>& flag) {
  flag = true;
  co_return;
}
Task<> sleeps(Duration duration) { co_await sleep(duration); }

TEST_P(current_thread, tasks_run_only_during_block_on) {
  std::atomic<bool> ran{false};
  auto handle = runtime_->spawn(sets(ran));
  std::this_thread::sleep_for(5ms);
  EXPECT_FALSE(ran);
  runtime_->block_on(sleeps(1ms));
  EXPECT_TRUE(ran);
  EXPECT_TRUE(handle.is_finished());
}

Task<int> yields(int times) {
  for (int i = 0; i < times; ++i) co_await yield_now();
  co_return times;
}
Task<> ticks(int& count) {
  for (;;) {
    co_await sleep(1ms);
    ++count;
  }
}

TEST_P(current_thread, root_that_yields_lets_tasks_and_timers_run) {
  int count = 0;
  runtime_->spawn(ticks(count)).detach();
  auto until_three = [](int& seen) -> Task<int> {
    int yielded = 0;
    while (seen < 3) {
      co_await yield_now();
      ++yielded;
    }
    co_return yielded;
  };
  EXPECT_GT(runtime_->block_on(until_three(count)), 3);
  EXPECT_EQ(runtime_->block_on(yields(1000)), 1000);
}

TEST_P(current_thread, busy_tasks_let_the_root_run) {
  auto busy = []() -> Task<> {
    for (;;) co_await yield_now();
  };
  for (int i = 0; i < 3; ++i) runtime_->spawn(busy()).detach();
  EXPECT_EQ(runtime_->block_on(yields(100)), 100);
  runtime_->block_on(sleeps(5ms));
}

TEST_P(current_thread, spawned_from_other_threads_while_it_sleeps) {
  constexpr int threads = 3;
  constexpr int each = 200;
  std::atomic<int> ran{0};
  std::vector<std::thread> spawners;
  for (int i = 0; i < threads; ++i) {
    spawners.emplace_back([&ran, handle = runtime_->handle()] {
      for (int n = 0; n < each; ++n) {
        auto body = [](std::atomic<int>& count) -> Task<> {
          ++count;
          co_return;
        };
        handle.spawn(body(ran)).detach();
        if (n % 16 == 0) std::this_thread::sleep_for(200us);
      }
    });
  }
  auto until_all = [](std::atomic<int>& count) -> Task<> {
    while (count < threads * each) co_await sleep(1ms);
  };
  runtime_->block_on(until_all(ran));
  for (auto& spawner : spawners) spawner.join();
  EXPECT_EQ(ran, threads * each);
}

Task<Result<std::string>> echoes_over_tcp(int rounds) {
  TcpListener listener = co_await try_(TcpListener::bind(SocketAddress::parse("127.0.0.1:0").value()));
  auto serve = [](TcpListener server) -> Task<Result<void>> {
    Accepted accepted = co_await try_(server.accept());
    std::array<char, 64> buffer{};
    for (;;) {
      const std::size_t n = co_await try_(accepted.stream.read(buffer));
      if (n == 0) co_return {};
      co_await try_(accepted.stream.write_all({buffer.data(), n}));
    }
  };
  const SocketAddress address = co_await try_(listener.local_address());
  auto server = spawn(serve(std::move(listener)));
  std::string text;
  {
    TcpStream client = co_await try_(TcpStream::connect(address));
    std::array<char, 4> buffer{};
    for (int i = 0; i < rounds; ++i) {
      co_await try_(client.write_all(std::string_view("ping")));
      co_await try_(read_exact(client, buffer));
      text.assign(buffer.data(), buffer.size());
    }
  }
  co_await try_((co_await server).value());
  co_return text;
}

TEST_P(current_thread, sockets) { EXPECT_EQ(runtime_->block_on(echoes_over_tcp(100)).value(), "ping"); }

// The descriptors that the first thread has watched are watched for the next one too.
TEST_P(current_thread, goes_from_thread_to_thread_with_all_it_has) {
  auto [sender, receiver] = channel<int>(4);
  auto relays = [](Receiver<int> from, std::atomic<int>& sum) -> Task<> {
    while (auto value = co_await from.receive()) sum += *value;
  };
  std::atomic<int> sum{0};
  runtime_->spawn(relays(std::move(receiver), sum)).detach();
  Pipe ends = skua::pipe().value();
  auto reads = [](PipeReader reader, std::atomic<int>& bytes) -> Task<Result<void>> {
    std::array<char, 16> buffer{};
    for (;;) {
      const std::size_t n = co_await try_(reader.read(buffer));
      if (n == 0) co_return {};
      bytes += static_cast<int>(n);
    }
  };
  std::atomic<int> bytes{0};
  runtime_->spawn(reads(std::move(ends.reader), bytes)).detach();
  auto feeds = [](Sender<int>& to, PipeWriter& writer, std::atomic<int>& seen, int before) -> Task<Result<void>> {
    co_await try_(to.send(1));
    co_await try_(writer.write_all(std::string_view("x")));
    while (seen == before) co_await sleep(1ms);
    co_return {};
  };
  for (int i = 0; i < 6; ++i) {
    auto turn = [&] { EXPECT_TRUE(runtime_->block_on(feeds(sender, ends.writer, bytes, i))); };
    if (i % 2 == 0) {
      std::thread(turn).join();
    } else {
      turn();
    }
  }
  EXPECT_EQ(bytes, 6);
  EXPECT_EQ(sum, 6);
}

TEST_P(current_thread, dropped_it_destroys_its_tasks_here) {
  Census census;
  std::atomic<int> elsewhere{0};
  struct Here {
    explicit Here(std::atomic<int>& count) noexcept : elsewhere(&count), made_by(std::this_thread::get_id()) {}
    Here(Here&& other) noexcept : elsewhere(std::exchange(other.elsewhere, nullptr)), made_by(other.made_by) {}
    ~Here() {
      if (elsewhere != nullptr && std::this_thread::get_id() != made_by) ++*elsewhere;
    }
    std::atomic<int>* elsewhere;
    std::thread::id made_by;
  };
  auto waits = [](Counted, Here) -> Task<> { co_await sleep(1h); };
  std::vector<JoinHandle<void>> handles;
  for (int i = 0; i < 50; ++i) handles.push_back(runtime_->spawn(waits(Counted(census), Here(elsewhere))));
  runtime_->block_on(sleeps(1ms));
  for (int i = 0; i < 10; ++i) handles.push_back(runtime_->spawn(waits(Counted(census), Here(elsewhere))));
  runtime_.reset();
  EXPECT_EQ(census.alive(), 0);
  EXPECT_EQ(elsewhere, 0);
  for (auto& handle : handles) {
    const auto joined = await_within(handle);
    ASSERT_TRUE(joined);
    EXPECT_TRUE(joined->error().is_cancelled());
  }
}

TEST_P(current_thread, many_come_and_go) {
  const std::size_t descriptors = open_descriptors();
  for (int i = 0; i < scaled(200, 40); ++i) {
    auto runtime = build_current(GetParam()).value();
    EXPECT_EQ(runtime.block_on(yields(3)), 3);
  }
  EXPECT_EQ(open_descriptors(), descriptors);
}

TEST_P(current_thread, functions_that_block_have_threads_of_their_own) {
  auto body = []() -> Task<std::thread::id> {
    auto there = [] { return std::this_thread::get_id(); };
    auto handle = co_await spawn_blocking(there);
    auto joined = co_await *handle;
    co_return joined.value();
  };
  EXPECT_NE(runtime_->block_on(body()), std::this_thread::get_id());
}

TEST_P(current_thread, files) {
  auto body = []() -> Task<Result<std::string>> { co_return co_await fs::read_to_string("/proc/self/comm"); };
  EXPECT_FALSE(runtime_->block_on(body()).value().empty());
}

// --- loops of others ------------------------------------------------------------------------------------------------

/// poll(), as a toolkit's loop would call it. Returns whether the descriptor was readable.
bool wait_in_poll(Runtime& runtime, bool more) {
  Duration wait = 10s;
  if (const auto deadline = runtime.next_deadline()) wait = std::min<Duration>(wait, *deadline - now());
  const timespec limit{.tv_sec = 0, .tv_nsec = 0};
  timespec time = limit;
  if (!more && wait > 0ns) time = {.tv_sec = wait / 1s, .tv_nsec = (wait % 1s).count()};
  pollfd entry{.fd = runtime.native_fd().value(), .events = POLLIN, .revents = 0};
  return ::ppoll(&entry, 1, &time, nullptr) > 0;
}

template <class T>
std::optional<T> run_in_poll(Runtime& runtime, JoinHandle<T>& handle) {
  const Instant end = now() + 20s;
  while (now() < end) {
    const bool more = runtime.run_once();
    if (handle.is_finished()) break;
    wait_in_poll(runtime, more);
  }
  if (!handle.is_finished()) return std::nullopt;
  return handle.take_output().value();
}

Task<int> sleeps_and_counts(int times) {
  for (int i = 0; i < times; ++i) co_await sleep(1ms);
  co_return times;
}

TEST_P(current_thread, in_a_poll_loop_timers_sockets_and_yields) {
  auto timers = runtime_->spawn(sleeps_and_counts(10));
  auto sockets = runtime_->spawn(echoes_over_tcp(50));
  auto yielding = runtime_->spawn(yields(1000));
  EXPECT_EQ(run_in_poll(*runtime_, timers), 10);
  EXPECT_EQ(run_in_poll(*runtime_, sockets).value().value(), "ping");
  EXPECT_EQ(run_in_poll(*runtime_, yielding), 1000);
}

TEST_P(current_thread, in_a_poll_loop_it_rests_when_there_is_nothing_to_do) {
  const int fd = runtime_->native_fd().value();
  while (runtime_->run_once()) {
  }
  EXPECT_FALSE(runtime_->next_deadline());
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&entry, 1, 20), 0) << "readable without a reason";
  auto handle = runtime_->spawn(sleeps_and_counts(1));
  EXPECT_EQ(::poll(&entry, 1, 10'000), 1) << "a spawn makes it readable";
  EXPECT_EQ(::poll(&entry, 1, 0), 1) << "and it stays so";
  while (runtime_->run_once()) {
  }
  ASSERT_TRUE(runtime_->next_deadline());
  EXPECT_LE(*runtime_->next_deadline(), now() + 10ms);
  EXPECT_EQ(run_in_poll(*runtime_, handle), 1);
}

TEST_P(current_thread, in_a_poll_loop_woken_from_other_threads) {
  auto [sender, receiver] = channel<int>(1);
  auto adds = [](Receiver<int> from) -> Task<int> {
    int sum = 0;
    while (auto value = co_await from.receive()) sum += *value;
    co_return sum;
  };
  auto handle = runtime_->spawn(adds(std::move(receiver)));
  std::thread other([to = std::move(sender)]() mutable {
    for (int i = 1; i <= 500; ++i) {
      ASSERT_TRUE(to.send_blocking(i));
      if (i % 50 == 0) std::this_thread::sleep_for(300us);
    }
  });
  EXPECT_EQ(run_in_poll(*runtime_, handle), 500 * 501 / 2);
  other.join();
}

TEST_P(current_thread, in_an_epoll_loop) {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  ASSERT_GE(epoll, 0);
  epoll_event interest{};
  interest.events = EPOLLIN;
  ASSERT_EQ(::epoll_ctl(epoll, EPOLL_CTL_ADD, runtime_->native_fd().value(), &interest), 0);
  auto handle = runtime_->spawn(echoes_over_tcp(50));
  const Instant end = now() + 20s;
  while (now() < end) {
    const bool more = runtime_->run_once();
    if (handle.is_finished()) break;
    epoll_event event{};
    ::epoll_wait(epoll, &event, 1, more ? 0 : 1000);
  }
  ASSERT_TRUE(handle.is_finished());
  EXPECT_EQ(handle.take_output().value().value(), "ping");
  ::close(epoll);
}

TEST_P(current_thread, in_poll_loops_of_one_thread_after_the_other) {
  Pipe ends = skua::pipe().value();
  auto reads = [](PipeReader reader, std::atomic<int>& bytes) -> Task<Result<void>> {
    std::array<char, 16> buffer{};
    for (;;) {
      const std::size_t n = co_await try_(reader.read(buffer));
      if (n == 0) co_return {};
      bytes += static_cast<int>(n);
    }
  };
  std::atomic<int> bytes{0};
  runtime_->spawn(reads(std::move(ends.reader), bytes)).detach();
  const int fd = runtime_->native_fd().value();
  for (int i = 1; i <= 4; ++i) {
    auto turn = [&] {
      while (runtime_->run_once()) {
      }
      EXPECT_EQ(runtime_->native_fd().value(), fd);
      CountedContext context;
      auto writing = ends.writer.write_all(std::string_view("x"));
      EXPECT_TRUE(writing.poll(context).is_ready());
      for (const Instant end = now() + 20s; now() < end;) {
        const bool more = runtime_->run_once();
        if (bytes == i) break;
        wait_in_poll(*runtime_, more);
      }
      EXPECT_EQ(bytes, i);
    };
    if (i % 2 == 0) {
      std::thread(turn).join();
    } else {
      turn();
    }
  }
}

TEST_P(current_thread, run_once_then_block_on_then_run_once) {
  auto handle = runtime_->spawn(sleeps_and_counts(3));
  while (runtime_->run_once()) {
  }
  runtime_->block_on(sleeps(1ms));
  EXPECT_EQ(run_in_poll(*runtime_, handle), 3);
  auto again = runtime_->spawn(sleeps_and_counts(2));
  EXPECT_EQ(runtime_->block_on(std::move(again)).value(), 2);
}

TEST_P(current_thread, run_once_does_not_run_for_ever) {
  auto busy = []() -> Task<> {
    for (;;) co_await yield_now();
  };
  runtime_->spawn(busy()).detach();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(runtime_->run_once());
  ASSERT_TRUE(runtime_->next_deadline());
  EXPECT_LE(*runtime_->next_deadline(), now()) << "at once";
}

// --- several runtimes ----------------------------------------------------------------------------------------------

Task<int> answers(Receiver<int> questions, Sender<int> answers_to) {
  int answered = 0;
  while (auto question = co_await questions.receive()) {
    if (!co_await answers_to.send(*question * 2)) break;
    ++answered;
  }
  co_return answered;
}
Task<int> asks(Sender<int> to, Receiver<int> from, int count) {
  int sum = 0;
  for (int i = 1; i <= count; ++i) {
    if (!co_await to.send(i)) break;
    sum += (co_await from.receive()).value_or(0);
  }
  co_return sum;
}

TEST_P(current_thread, talks_to_another_runtime_over_channels) {
  auto other = Builder().backend(GetParam()).workers(2).build().value();
  auto third = build_current(GetParam()).value();
  for (Runtime* const peer : {&other, &third}) {
    auto [question, questions] = channel<int>(2);
    auto [answer, replies] = channel<int>(2);
    auto answering = peer->spawn(answers(std::move(questions), std::move(answer)));
    std::thread runs_third;
    if (peer == &third) runs_third = std::thread([&] { EXPECT_EQ(third.block_on(std::move(answering)).value(), 300); });
    EXPECT_EQ(runtime_->block_on(asks(std::move(question), std::move(replies), 300)), 300 * 301);
    if (peer == &other) {
      EXPECT_EQ(other.block_on(std::move(answering)).value(), 300);
    }
    if (runs_third.joinable()) runs_third.join();
  }
}

TEST_P(current_thread, handle_of_another_runtime_in_a_task) {
  auto other = Builder().backend(GetParam()).workers(1).build().value();
  auto body = [](Handle there) -> Task<bool> {
    auto handle = there.spawn(where());
    const auto id = (co_await handle).value();
    co_return id != std::this_thread::get_id();
  };
  EXPECT_TRUE(runtime_->block_on(body(other.handle())));
  // And the other way round: this runtime runs meanwhile.
  auto back = other.spawn(body(runtime_->handle()));
  EXPECT_TRUE(runtime_->block_on(std::move(back)).value());
}

TEST_P(current_thread, socket_of_one_runtime_is_used_by_a_task_of_another) {
  auto other = Builder().backend(GetParam()).workers(1).build().value();
  Pipe ends = skua::pipe().value();
  auto reads = [](PipeReader& reader) -> Task<Result<std::size_t>> {
    std::array<char, 8> buffer{};
    co_return co_await reader.read(buffer);
  };
  auto writes = [](PipeWriter& writer) -> Task<Result<void>> {
    co_await sleep(1ms);
    co_return co_await writer.write_all(std::string_view("abc"));
  };
  auto writing = other.spawn(writes(ends.writer));
  EXPECT_EQ(runtime_->block_on(reads(ends.reader)).value(), 3U);
  EXPECT_TRUE(other.block_on(std::move(writing)).value());
  auto reading = other.spawn(reads(ends.reader));
  EXPECT_TRUE(runtime_->block_on(writes(ends.writer)));
  // It is watched by the runtime where it waited first, which has to run for the event to be seen.
  auto until_read = [](JoinHandle<Result<std::size_t>> handle) -> Task<std::size_t> {
    co_return (co_await handle).value().value();
  };
  EXPECT_EQ(runtime_->block_on(until_read(std::move(reading))), 3U);
}

// --- misuse --------------------------------------------------------------------------------------------------------

TEST_P(current_thread_misuse, two_threads_at_once) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        std::thread first([&] { runtime_->block_on(sleeps(10s)); });
        std::this_thread::sleep_for(50ms);
        runtime_->block_on(sleeps(1ms));
      },
      "two threads were running a current-thread runtime at once.*Handle");
}

TEST_P(current_thread_misuse, run_once_in_a_task) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  auto body = [](Runtime& runtime) -> Task<> {
    runtime.run_once();
    co_return;
  };
  EXPECT_DEATH(runtime_->block_on(body(*runtime_)), "run_once\\(\\) was called on a worker thread");
}

TEST_P(current_thread_misuse, run_once_of_a_runtime_with_threads) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        auto runtime = Builder().backend(Backend::epoll).workers(1).build().value();
        runtime.run_once();
      },
      "run_once\\(\\) was called on a runtime that has threads of its own.*current_thread");
}

}  // namespace
}  // namespace skua::tests
