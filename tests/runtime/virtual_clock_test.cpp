// Virtual time: it passes when nobody has anything to do, moves from deadline to deadline, and waits for what is going
// on.
#include "each_runtime.hpp"

#include <skua/core/random.hpp>

#include <unistd.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

class virtual_clock : public testing::TestWithParam<Setup> {
 protected:
  void SetUp() override {
    auto runtime = build_with(clock_);
    if (!runtime) GTEST_SKIP() << name_of(GetParam()) << " is refused here: " << runtime.error().message();
    runtime_.emplace(*std::move(runtime));
  }
  static Result<Runtime> build_with(const VirtualClock& clock) {
    const tests::Setup setup = GetParam();
    return Builder().backend(setup.backend).reactor_mode(setup.mode).workers(setup.workers).clock(clock).build();
  }
  /// On a worker, and then on this thread.
  template <class Body>
  void run_both(Body body) {
    {
      auto task = [](Body made) -> Task<> { co_await made(); };
      auto handle = runtime_->spawn(task(body));
      ASSERT_TRUE(await_within(handle).has_value()) << "it does not end";
    }
    runtime_->block_on(body());
  }

  VirtualClock clock_;
  std::optional<Runtime> runtime_;
};
INSTANTIATE_TEST_SUITE_P(on, virtual_clock, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

// ------------------------------------------------------------------------------------------------------ time that
// passes

TEST_P(virtual_clock, sleeps_end_exactly_and_at_once) {
  const auto body = []() -> Task<> {
    for (const Duration length : {Duration(1ns), Duration(100us), Duration(24h), Duration(24h * 365)}) {
      const Instant start = Clock::now();
      co_await sleep(length);
      EXPECT_EQ(Clock::now() - start, length);
    }
  };
  const Instant start = seam::now();
  run_both(body);
  EXPECT_LT(seam::now() - start, 20s);
}

TEST_P(virtual_clock, who_sleeps_wakes_in_the_order_of_deadlines) {
  struct Log {
    std::mutex mutex;
    std::vector<Instant> wakes;
  };
  const auto sleeper = [](std::shared_ptr<Log> log, Duration length) -> Task<> {
    co_await sleep(length);
    const std::lock_guard lock(log->mutex);
    log->wakes.push_back(Clock::now());
  };
  const auto body = [&]() -> Task<> {
    seam::Random random(7);
    auto log = std::make_shared<Log>();
    const Instant start = Clock::now();
    std::vector<JoinHandle<void>> tasks;
    for (int i = 0; i < 300; ++i) {
      // From nanoseconds to days: on all levels of the wheel, and beyond.
      const Duration length((std::int64_t{1} << random.below(48)) + random.below(1000));
      tasks.push_back(spawn(sleeper(log, length)));
    }
    for (auto& task : tasks) static_cast<void>(co_await task);
    EXPECT_TRUE(std::is_sorted(log->wakes.begin(), log->wakes.end()));
    EXPECT_GT(log->wakes.back() - start, 24h);
  };
  run_both(body);
}

TEST_P(virtual_clock, intervals_and_timeouts_are_exact) {
  const auto body = []() -> Task<> {
    const Instant start = Clock::now();
    Interval every = interval(1min);
    for (int i = 0; i < 60; ++i) {
      EXPECT_EQ(co_await every.tick(), start + i * 1min);
      EXPECT_EQ(Clock::now(), start + i * 1min) << "nobody is ever late";
    }
    const Instant before = Clock::now();
    EXPECT_FALSE(co_await timeout(90s, sleep(90s + 1ns)));
    EXPECT_EQ(Clock::now() - before, 90s);
    EXPECT_TRUE(co_await timeout(90s + 1ns, sleep(90s)));
    EXPECT_EQ(Clock::now() - before, 180s);
  };
  run_both(body);
}

TEST_P(virtual_clock, limits_and_queues_go_by_it) {
  const auto body = []() -> Task<> {
    const Instant start = Clock::now();
    EXPECT_FALSE(co_await with_deadline(start + 1h, sleep(2h)));
    EXPECT_EQ(Clock::now(), start + 1h);
    DelayQueue<int> queue(2);
    EXPECT_TRUE(queue.insert(1, start + 3h));
    EXPECT_TRUE(queue.insert(2, start + 2h));
    EXPECT_EQ((co_await queue.next())->value, 2);
    EXPECT_EQ(Clock::now(), start + 2h);
    EXPECT_EQ((co_await queue.next())->value, 1);
    EXPECT_EQ(Clock::now(), start + 3h);
  };
  run_both(body);
}

/// Answers what it is asked until nobody asks any more.
Task<> answers(Receiver<int> questions, Sender<int> answers_to) {
  while (const auto question = co_await questions.receive()) {
    co_await sleep(1s);
    static_cast<void>(co_await answers_to.send(*question * 2));
  }
}

TEST_P(virtual_clock, tasks_that_talk_are_never_overtaken_by_a_timeout) {
  const auto body = []() -> Task<> {
    auto [question, questions] = channel<int>(1);
    auto [answer, answers_from] = channel<int>(1);
    auto peer = spawn(answers(std::move(questions), std::move(answer)));
    const Instant start = Clock::now();
    for (int i = 0; i < 2000; ++i) {
      static_cast<void>(co_await question.send(i));
      const auto reply = co_await timeout(1s + 1ns, answers_from.receive());
      EXPECT_TRUE(reply) << i;
      if (!reply) break;
      EXPECT_EQ(reply.value(), i * 2);
    }
    EXPECT_EQ(Clock::now() - start, 2000s);
    {
      const auto last = std::move(question);
    }
    static_cast<void>(co_await peer);
  };
  run_both(body);
}

// ------------------------------------------------------------------------------------------------- what it waits for

TEST_P(virtual_clock, what_blocks_is_waited_for) {
  const auto body = []() -> Task<> {
    const Instant start = Clock::now();
    const auto blocks = [] { std::this_thread::sleep_for(5ms); };
    for (int i = 0; i < 5; ++i) {
      EXPECT_TRUE(co_await timeout(1ns, unblock(blocks)));
      EXPECT_EQ(Clock::now(), start);
    }
    // A call that has begun and that nobody waits for any more, too.
    std::atomic<int> stage{0};
    const auto begins = [&stage] {
      stage = 1;
      std::this_thread::sleep_for(5ms);
      stage = 2;
    };
    {
      auto call = unblock(begins);
      EXPECT_FALSE(co_await poll_once(call));
      while (stage == 0) std::this_thread::sleep_for(50us);
    }
    co_await sleep(1h);
    EXPECT_EQ(stage.load(), 2);
  };
  run_both(body);
}

TEST_P(virtual_clock, functions_of_spawn_blocking_are_waited_for) {
  const auto body = []() -> Task<> {
    const Instant start = Clock::now();
    const auto blocks = [] { std::this_thread::sleep_for(5ms); };
    for (int i = 0; i < 5; ++i) {
      auto task = (co_await spawn_blocking(blocks)).value();
      EXPECT_TRUE((co_await timeout(1ns, task)).has_value());
      EXPECT_EQ(Clock::now(), start);
    }
    // Nobody waits for this one.
    std::atomic<bool> is_done{false};
    const auto ends = [&is_done] {
      std::this_thread::sleep_for(5ms);
      is_done = true;
    };
    {
      const auto detached = co_await spawn_blocking(ends);
    }
    co_await sleep(1h);
    EXPECT_TRUE(is_done.load());
  };
  run_both(body);
}

TEST_P(virtual_clock, functions_in_place_are_waited_for) {
  const auto blocks_in_place = []() -> Task<> {
    const Instant start = Clock::now();
    for (int i = 0; i < 5; ++i) {
      block_in_place([] { std::this_thread::sleep_for(5ms); });
      EXPECT_EQ(Clock::now(), start);
      co_await yield_now();
    }
    co_await sleep(1h);
    EXPECT_EQ(Clock::now() - start, 1h);
  };
  const auto body = [&]() -> Task<> {
    auto sleeps = spawn(sleep(10min));  // while it blocks nobody else has anything to do
    auto first = spawn(blocks_in_place());
    auto second = spawn(blocks_in_place());
    EXPECT_TRUE((co_await first).has_value());
    EXPECT_TRUE((co_await second).has_value());
    EXPECT_TRUE((co_await sleeps).has_value());
  };
  run_both(body);
}

TEST_P(virtual_clock, operations_on_files_are_waited_for) {
  const auto body = []() -> Task<> {
    std::string path = (std::filesystem::temp_directory_path() / "skua-virtual-clock-test-XXXXXX").string();
    ::close(::mkstemp(path.data()));
    const Instant start = Clock::now();
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(co_await timeout(1ns, fs::write_file(path, "some text")));
      const auto text = co_await timeout(1ns, fs::read_to_string(path));
      EXPECT_EQ(text.value(), "some text");
    }
    EXPECT_EQ(Clock::now(), start);
    std::filesystem::remove(path);
  };
  run_both(body);
}

Task<> echoes(UnixStream stream) {
  std::array<char, 64> buffer;
  for (;;) {
    const auto n = co_await stream.read(buffer);
    if (!n || *n == 0) co_return;
    if (!co_await stream.write_all({buffer.data(), *n})) co_return;
  }
}

TEST_P(virtual_clock, bytes_that_are_there_come_before_a_timeout) {
  const auto body = []() -> Task<> {
    auto [here, there] = UnixStream::pair().value();
    auto echo = spawn(echoes(std::move(there)));
    const Instant start = Clock::now();
    std::array<char, 5> buffer;
    for (int i = 0; i < 500; ++i) {
      (co_await here.write_all("hello")).value();
      EXPECT_TRUE(co_await timeout(1ns, read_exact(here, buffer)));
    }
    EXPECT_EQ(Clock::now(), start);
    EXPECT_FALSE(co_await timeout(1h, here.read(buffer))) << "nobody knows whether the peer will ever write";
    EXPECT_EQ(Clock::now(), start + 1h);
    echo.abort();
  };
  run_both(body);
}

TEST_P(virtual_clock, a_plain_thread_is_awaited_under_a_hold) {
  const auto body = [this]() -> Task<> {
    auto [sender, receiver] = oneshot<int>();
    const Instant start = Clock::now();
    auto hold = std::make_unique<VirtualClock::Hold>(clock_.hold());
    std::thread thread([&, sending = std::move(sender)]() mutable {
      std::this_thread::sleep_for(10ms);
      static_cast<void>(std::move(sending).send(5));
    });
    const auto got = co_await timeout(1ns, receiver);
    EXPECT_TRUE(got);
    EXPECT_EQ(Clock::now(), start);
    thread.join();
    hold.reset();
    co_await sleep(1s);
    EXPECT_EQ(Clock::now(), start + 1s);
  };
  run_both(body);
}

TEST_P(virtual_clock, end_of_a_hold_on_another_thread_lets_time_pass) {
  auto hold = std::make_unique<VirtualClock::Hold>(clock_.hold());
  const auto sleeper = []() -> Task<> { co_await sleep(1h); };
  auto task = runtime_->spawn(sleeper());
  std::this_thread::sleep_for(10ms);
  EXPECT_FALSE(task.is_finished());
  hold.reset();
  EXPECT_TRUE(await_within(task).has_value());
}

TEST_P(virtual_clock, time_does_not_move_to_never) {
  const Instant start = clock_.now();
  const auto sleeper = []() -> Task<> { co_await sleep(Duration::max()); };
  auto task = runtime_->spawn(sleeper());
  std::this_thread::sleep_for(10ms);
  EXPECT_FALSE(task.is_finished());
  EXPECT_EQ(clock_.now(), start);
  task.abort();
  EXPECT_TRUE(await_within(task)->error().is_cancelled());
}

// ------------------------------------------------------------------------------------------------------- by hand

TEST_P(virtual_clock, advance_wakes_whose_time_has_come_and_nobody_else) {
  clock_.set_auto_advance(false);
  const auto sleeper = []() -> Task<> { co_await sleep(1h); };
  const Instant start = clock_.now();
  auto task = runtime_->spawn(sleeper());
  // Until its timer is armed time must not move.
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(clock_.now(), start);
  clock_.advance(1h - 1ns);
  std::this_thread::sleep_for(10ms);
  EXPECT_FALSE(task.is_finished());
  clock_.advance(1ns);
  EXPECT_TRUE(await_within(task).has_value());
  EXPECT_EQ(clock_.now(), start + 1h);
  clock_.advance(-1h);
  EXPECT_EQ(clock_.now(), start + 1h) << "it never goes back";
  clock_.set_auto_advance(true);
  auto another = runtime_->spawn(sleeper());
  EXPECT_TRUE(await_within(another).has_value());
  clock_.advance(std::chrono::hours::max());
  EXPECT_EQ(clock_.now(), Instant::max());
}

TEST_P(virtual_clock, advance_in_a_task_wakes_the_others_and_itself) {
  const auto body = [this]() -> Task<> {
    const Instant start = Clock::now();
    Sleep pause = sleep(1h);
    EXPECT_FALSE(co_await poll_once(pause));
    clock_.advance(2h);
    EXPECT_TRUE(co_await poll_once(pause)) << "at once";
    EXPECT_EQ(Clock::now(), start + 2h);
    Interval every = interval_at(start, 1h);
    for (int i = 0; i <= 2; ++i) EXPECT_EQ(co_await every.tick(), start + i * 1h);
    EXPECT_EQ(Clock::now(), start + 2h);
  };
  run_both(body);
}

TEST_P(virtual_clock, resumed_it_goes_on_as_real_time_does) {
  const auto body = [this]() -> Task<> {
    const Instant start = Clock::now();
    co_await sleep(24h);
    clock_.resume();
    const Instant real = seam::now();
    co_await sleep(10ms);
    EXPECT_GE(seam::now() - real, 10ms);
    EXPECT_GE(Clock::now() - start, 24h + 10ms);
    Sleep pause = sleep(1h);
    EXPECT_FALSE(co_await poll_once(pause));
    clock_.advance(1h);
    co_await pause;
    clock_.pause();
    const Instant paused = Clock::now();
    co_await sleep(1h);
    EXPECT_EQ(Clock::now(), paused + 1h);
  };
  run_both(body);
}

TEST_P(virtual_clock, pause_and_resume_from_another_thread_reach_who_sleeps) {
  const auto sleeper = [](Duration length) -> Task<> { co_await sleep(length); };
  clock_.set_auto_advance(false);
  auto soon = runtime_->spawn(sleeper(20ms));
  std::this_thread::sleep_for(5ms);  // asleep, most likely, and without a limit
  clock_.resume();
  EXPECT_TRUE(await_within(soon).has_value());
  auto late = runtime_->spawn(sleeper(24h));
  std::this_thread::sleep_for(5ms);
  clock_.set_auto_advance(true);
  clock_.pause();
  EXPECT_TRUE(await_within(late).has_value());
}

// ----------------------------------------------------------------------------------------------------- several
// runtimes

/// A sleep() that is made on the runtime, and so by its time.
Task<> sleep_there(Duration length) { co_await sleep(length); }

void sleep_really() { std::this_thread::sleep_for(5ms); }

class virtual_clock_on_one_thread : public testing::TestWithParam<Backend> {};
INSTANTIATE_TEST_SUITE_P(on, virtual_clock_on_one_thread, testing::Values(Backend::io_uring, Backend::epoll),
                         [](const auto& backend) { return backend.param == Backend::epoll ? "epoll" : "io_uring"; });

TEST_P(virtual_clock_on_one_thread, time_passes_in_block_on_alone) {
  VirtualClock clock;
  auto built = Builder().backend(GetParam()).current_thread().clock(clock).build();
  if (!built) GTEST_SKIP() << built.error().message();
  Runtime runtime = *std::move(built);
  const Instant start = clock.now();
  auto sleeps = runtime.spawn(sleep_there(1h));
  EXPECT_EQ(clock.now(), start) << "nobody runs it";
  const auto body = []() -> Task<> {
    const Instant begin = Clock::now();
    co_await sleep(10min);
    EXPECT_EQ(Clock::now() - begin, 10min);
    auto blocks = (co_await spawn_blocking(&sleep_really)).value();
    EXPECT_TRUE((co_await timeout(1ns, blocks)).has_value());
    EXPECT_EQ(Clock::now() - begin, 10min);
  };
  runtime.block_on(body());
  EXPECT_EQ(clock.now() - start, 10min) << "the other sleeps on";
  EXPECT_FALSE(sleeps.is_finished());
  clock.advance(20min);
  EXPECT_EQ(clock.now() - start, 30min);
  runtime.block_on(sleep_there(1h));
  EXPECT_TRUE(sleeps.is_finished());
  EXPECT_EQ(clock.now() - start, 90min);
}

// It never sleeps there, so time passes by advance() alone.
TEST_P(virtual_clock_on_one_thread, in_a_loop_of_others_it_passes_by_advance) {
  VirtualClock clock;
  auto built = Builder().backend(GetParam()).current_thread().clock(clock).build();
  if (!built) GTEST_SKIP() << built.error().message();
  Runtime runtime = *std::move(built);
  auto sleeps = runtime.spawn(sleep_there(1h));
  while (runtime.run_once()) {
  }
  EXPECT_FALSE(sleeps.is_finished());
  clock.advance(1h);
  while (runtime.run_once()) {
  }
  EXPECT_TRUE(sleeps.is_finished());
  const Instant before = clock.now();
  runtime.block_on(sleep_there(1min));
  EXPECT_EQ(clock.now() - before, 1min);
}

TEST_P(virtual_clock, two_runtimes_may_have_one_time) {
  Runtime other = build_with(clock_).value();
  auto [question, questions] = channel<int>(1);
  auto [answer, answers_from] = channel<int>(1);
  auto peer = other.spawn(answers(std::move(questions), std::move(answer)));
  const auto asks = [](Sender<int> ask, Receiver<int> listen) -> Task<Duration> {
    const Instant start = Clock::now();
    for (int i = 0; i < 300; ++i) {
      static_cast<void>(co_await ask.send(i));
      EXPECT_TRUE(co_await timeout(1s + 1ns, listen.receive())) << i;
    }
    co_return Clock::now() - start;
  };
  EXPECT_EQ(runtime_->block_on(asks(std::move(question), std::move(answers_from))), 300s);
  EXPECT_TRUE(await_within(peer).has_value());
}

TEST_P(virtual_clock, other_runtimes_and_threads_keep_real_time) {
  Runtime real = build(GetParam()).value();
  clock_.advance(24h);
  const auto offset = []() -> Task<Duration> { co_return Clock::now() - seam::now(); };
  EXPECT_LT(real.block_on(offset()), 1h);
  EXPECT_GT(runtime_->block_on(offset()), 23h);
  EXPECT_LT(Clock::now() - seam::now(), 1h) << "this thread has left the runtime";
  auto inside = runtime_->spawn(offset());
  EXPECT_GT(await_within(inside)->value(), 23h);
}

TEST_P(virtual_clock, runtimes_end_while_tasks_sleep) {
  const auto sleeper = [](Duration length) -> Task<> {
    for (;;) co_await sleep(length);
  };
  for (int round = 0; round < scaled(30, 10); ++round) {
    Runtime another = build_with(clock_).value();
    std::optional<VirtualClock::Hold> hold;
    if (round % 2 == 0) hold.emplace(clock_.hold());
    for (int i = 1; i < 5; ++i) another.spawn(sleeper(i * 1s)).detach();
    if (round % 3 == 0) std::this_thread::sleep_for(1ms);
  }
  run_both([]() -> Task<> { co_await sleep(1s); });  // they count for nothing any more
}

}  // namespace
}  // namespace skua::tests
