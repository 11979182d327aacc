// Fairness: tasks that never have to wait, beside others that are to be served all the same.
#include "each_runtime.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

// --- Those that could keep a worker for themselves ------------------------------------------------------------------

using Stop = std::atomic<bool>;

/// Wakes its partner each time: the slot for the task that was woken last is never empty.
Task<> plays_ping_pong(const Stop& stop, Notify& mine, Notify& other) {
  while (!stop) {
    co_await mine.notified();
    other.notify_one();
  }
}

Task<> yields(const Stop& stop) {
  while (!stop) co_await yield_now();
}

Task<> sends_and_receives(const Stop& stop) {
  auto [sender, receiver] = channel<int>(4);
  while (!stop) {
    static_cast<void>(co_await sender.send(1));
    static_cast<void>(co_await receiver.receive());
  }
}

Task<> selects_what_is_ready(const Stop& stop) {
  Semaphore never_taken(1);
  Semaphore closed(0);
  closed.close();
  while (!stop) static_cast<void>(co_await select(never_taken.acquire(), closed.acquire()));
}

class Hogs {
 public:
  void spawn_all() {
    for (auto& pair : pairs_) {
      add(plays_ping_pong(stop_, pair[0], pair[1]));
      add(plays_ping_pong(stop_, pair[1], pair[0]));
      pair[0].notify_one();
    }
    add(yields(stop_));
    add(sends_and_receives(stop_));
    add(selects_what_is_ready(stop_));
  }
  Task<> end() {
    stop_ = true;
    for (auto& pair : pairs_) {
      for (Notify& side : pair) side.notify_one();
    }
    for (auto& task : tasks_) static_cast<void>(co_await task);
  }

 private:
  void add(Task<> task) { tasks_.push_back(spawn(std::move(task))); }

  Stop stop_{false};
  std::array<std::array<Notify, 2>, 2> pairs_;
  std::vector<JoinHandle<void>> tasks_;
};

// --- Those beside them ----------------------------------------------------------------------------------------------

constexpr int rounds = 100;

/// The 99th of a hundred: one may be the machine's.
struct Lateness {
  Lateness() { all.reserve(rounds); }
  void add(Instant due) { all.push_back(now() - due); }
  Duration p99() {
    std::sort(all.begin(), all.end());
    return all[all.size() * 99 / 100 - 1];
  }
  std::vector<Duration> all;
};

Task<Lateness> timers() {
  Lateness lateness;
  for (int i = 0; i < rounds; ++i) {
    const Instant due = now() + 10ms;
    co_await sleep_until(due);
    lateness.add(due);
  }
  co_return lateness;
}

Task<> nothing() { co_return; }

Task<Lateness> spawns() {
  Lateness lateness;
  for (int i = 0; i < rounds; ++i) {
    co_await sleep(10ms);
    const Instant begin = now();
    static_cast<void>(co_await spawn(nothing()));
    lateness.add(begin);
  }
  co_return lateness;
}

Task<> answers(TcpListener& listener) {
  Accepted accepted = (co_await listener.accept()).value();
  std::array<char, 1> byte{};
  while (*co_await accepted.stream.read(byte) > 0) (co_await accepted.stream.write_all(byte)).value();
}

Task<Lateness> echoes() {
  TcpListener listener = TcpListener::bind(SocketAddress::loopback(0)).value();
  auto server = spawn(answers(listener));
  Lateness lateness;
  {
    TcpStream client = (co_await TcpStream::connect(listener.local_address().value())).value();
    std::array<char, 1> byte{};
    for (int i = 0; i < rounds; ++i) {
      co_await sleep(10ms);
      const Instant begin = now();
      (co_await client.write_all(byte)).value();
      (co_await client.read(byte)).value();
      lateness.add(begin);
    }
  }
  static_cast<void>(co_await server);
  co_return lateness;
}

struct Measured {
  Duration timer, spawn, echo;
  Duration worst() const { return std::max({timer, spawn, echo}); }
};

Task<Measured> measure() {
  Hogs hogs;
  hogs.spawn_all();
  auto timed = spawn(timers());
  auto spawned = spawn(spawns());
  auto echoed = spawn(echoes());
  Lateness timer = (co_await timed).value();
  Lateness spawn = (co_await spawned).value();
  Lateness echo = (co_await echoed).value();
  co_await hogs.end();
  co_return Measured{timer.p99(), spawn.p99(), echo.p99()};
}

class starvation : public EachRuntime {};
INSTANTIATE_TEST_SUITE_P(on, starvation, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

double milliseconds(Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

// 100 ms where two processors are ours; sanitizers multiply what the program itself does. The best of three: others may
// take the processors from us, a task that is starved is starved each time.
TEST_P(starvation, nobody_is_starved_by_tasks_that_never_wait) {
  const Duration limit = sanitized ? 500ms : 100ms;
  Measured best{};
  for (int attempt = 0; attempt < 3; ++attempt) {
    best = run(measure());
    std::printf("  p99: timer %.2f ms, spawn %.2f ms, echo %.2f ms\n", milliseconds(best.timer),
                milliseconds(best.spawn), milliseconds(best.echo));
    if (best.worst() < limit) return;
  }
  ADD_FAILURE() << "each of three times something waited longer than " << milliseconds(limit) << " ms";
}

}  // namespace

}  // namespace skua::tests
