// A day of a thousand clients in virtual time: requests, timeouts, retries, heartbeats. What comes of it is known
// beforehand, to the last request: nothing depends on how fast the machine is or on who runs when.
#include "each_runtime.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

constexpr int clients = 1000;
constexpr auto period = 400s;     // of a client's requests
constexpr auto heartbeat = 240s;  // of a client
constexpr auto phase = 400ms;     // between one client and the next
constexpr auto patience = 1s;     // for an answer
constexpr auto pause_before_retry = 200ms;
constexpr int tries = 3;

/// What the server does to a request; some are told so at every try, some at the first only.
enum class Fate { answered, late_once, dropped_once, always_late };
constexpr auto quick = 50ms;
constexpr auto slow = 3s;
constexpr Fate fate_of(int request) {
  if (request % 20 == 7) return Fate::late_once;
  if (request % 20 == 13) return Fate::dropped_once;
  return request % 100 == 99 ? Fate::always_late : Fate::answered;
}
/// From a request's first try to its end.
constexpr Duration length_of(Fate fate) {
  switch (fate) {
    case Fate::answered: return quick;
    case Fate::late_once: return patience + pause_before_retry + quick;
    case Fate::dropped_once: return pause_before_retry + quick;
    case Fate::always_late: break;
  }
  return tries * patience + (tries - 1) * pause_before_retry;
}

struct Totals {
  std::uint64_t answers = 0;       // that came in time
  std::uint64_t timeouts = 0;      // tries
  std::uint64_t drops = 0;         // tries
  std::uint64_t failures = 0;      // requests given up
  std::uint64_t late_answers = 0;  // that nobody waited for any more
  std::uint64_t heartbeats = 0;
  Duration length{};
  bool operator==(const Totals&) const = default;
};

void PrintTo(const Totals& totals, std::ostream* out) {
  *out << totals.answers << " answers, " << totals.timeouts << " timeouts, " << totals.drops << " drops, "
       << totals.failures << " failures, " << totals.late_answers << " late answers, " << totals.heartbeats
       << " heartbeats in " << totals.length.count() << " ns";
}

std::uint64_t count(int requests, int modulus, int residue) {
  return static_cast<std::uint64_t>((requests - residue + modulus - 1) / modulus);
}

/// Of `requests` of each client.
Totals expected(int requests) {
  Totals one;
  const std::uint64_t late_once = count(requests, 20, 7);
  one.drops = count(requests, 20, 13);
  one.failures = count(requests, 100, 99);
  one.timeouts = late_once + tries * one.failures;
  one.late_answers = one.timeouts;
  one.answers = static_cast<std::uint64_t>(requests) - one.failures;
  // From the client's first request to the end of its last, both ends included.
  const Duration life = (requests - 1) * period + length_of(fate_of(requests - 1));
  one.heartbeats = static_cast<std::uint64_t>(life / heartbeat) + 1;
  Totals all;
  all.answers = clients * one.answers;
  all.timeouts = clients * one.timeouts;
  all.drops = clients * one.drops;
  all.failures = clients * one.failures;
  all.late_answers = clients * one.late_answers;
  all.heartbeats = clients * one.heartbeats;
  all.length = (clients - 1) * phase + life;
  return all;
}

struct Counters {
  std::atomic<std::uint64_t> answers{0}, timeouts{0}, drops{0}, failures{0}, late_answers{0}, heartbeats{0};
};

struct Request {
  Request(int request, int attempt, OneshotSender<int> answer)
      : number(request), try_number(attempt), reply(std::move(answer)) {}
  int number;
  int try_number;
  OneshotSender<int> reply;
};

Task<> answer(Request request, Counters& counters) {
  const Fate fate = fate_of(request.number);
  const bool is_first = request.try_number == 0;
  if (fate == Fate::dropped_once && is_first) co_return;
  const bool is_late = fate == Fate::always_late || (fate == Fate::late_once && is_first);
  co_await sleep(is_late ? Duration(slow) : Duration(quick));
  if (!std::move(request.reply).send(request.number)) ++counters.late_answers;
}

Task<> serve(Receiver<Request> requests, Counters& counters) {
  Scope scope;
  while (auto request = co_await requests.receive()) {
    static_cast<void>(scope.spawn(answer(*std::move(request), counters)));
  }
  static_cast<void>(co_await scope.join());
}

Task<bool> ask(Sender<Request>& server, int number, int try_number, Counters& counters) {
  auto [reply, answer_from] = oneshot<int>();
  if (!co_await server.send(Request(number, try_number, std::move(reply)))) co_return false;
  const auto result = co_await timeout(patience, answer_from);
  if (result) {
    EXPECT_EQ(*result, number);
    ++counters.answers;
  } else {
    ++(result.error() == std::errc::timed_out ? counters.timeouts : counters.drops);
  }
  co_return result.has_value();
}

Task<> request(Sender<Request>& server, int number, Counters& counters) {
  for (int try_number = 0; try_number < tries; ++try_number) {
    if (try_number > 0) co_await sleep(pause_before_retry);
    if (co_await ask(server, number, try_number, counters)) co_return;
  }
  ++counters.failures;
}

Task<> requests(Sender<Request>& server, int count_of_requests, Counters& counters) {
  Interval every = interval(period);
  for (int number = 0; number < count_of_requests; ++number) {
    co_await every.tick();
    co_await request(server, number, counters);
  }
}

Task<> beats(Counters& counters) {
  Interval every = interval(heartbeat);
  for (;;) {
    co_await every.tick();
    ++counters.heartbeats;
  }
}

Task<> client(Sender<Request> server, int index, int count_of_requests, Counters& counters) {
  co_await sleep(index * phase);
  co_await select(biased, beats(counters), requests(server, count_of_requests, counters));
}

Task<Totals> day(int count_of_requests) {
  const Instant start = Clock::now();
  Counters counters;
  {
    Scope scope;
    auto [sender, receiver] = channel<Request>(64);
    for (int i = 0; i < clients; ++i) {
      static_cast<void>(scope.spawn(client(sender, i, count_of_requests, counters)));
    }
    {
      const auto last = std::move(sender);
    }
    auto server = scope.spawn(serve(std::move(receiver), counters));
    static_cast<void>(co_await scope.join());
  }
  Totals totals;
  totals.answers = counters.answers;
  totals.timeouts = counters.timeouts;
  totals.drops = counters.drops;
  totals.failures = counters.failures;
  totals.late_answers = counters.late_answers;
  totals.heartbeats = counters.heartbeats;
  totals.length = Clock::now() - start;
  co_return totals;
}

/// Shorter where code is slow: one hour under sanitizers, two without optimization. SKUA_TEST_SCALE makes it longer.
int requests_of_the_day() {
#if defined(__OPTIMIZE__)
  constexpr auto length = scaled(24h, 1h);
#else
  constexpr auto length = scaled(2h, 1h);
#endif
  return static_cast<int>(at_scale(static_cast<std::size_t>(length / period)));
}

class virtual_day : public testing::TestWithParam<tests::Setup> {};
INSTANTIATE_TEST_SUITE_P(on, virtual_day,
                         testing::Values(tests::Setup{Backend::epoll, ReactorMode::workers, 1},
                                         tests::Setup{Backend::epoll, ReactorMode::workers, 2},
                                         tests::Setup{Backend::epoll, ReactorMode::thread, 2}),
                         [](const auto& parameter) { return name_of(parameter.param); });

TEST_P(virtual_day, of_a_thousand_clients_comes_to_what_was_foreseen) {
  const int count_of_requests = requests_of_the_day();
  VirtualClock clock;
  Runtime runtime = Builder()
                        .backend(GetParam().backend)
                        .reactor_mode(GetParam().mode)
                        .workers(GetParam().workers)
                        .clock(clock)
                        .build()
                        .value();
  const Instant start = seam::now();
  auto task = runtime.spawn(day(count_of_requests));
  auto totals = await_within(task, 600s);
  ASSERT_TRUE(totals.has_value()) << "it does not end";
  EXPECT_EQ(totals->value(), expected(count_of_requests));
  const std::chrono::duration<double> real = seam::now() - start;
  const std::chrono::duration<double, std::ratio<3600>> passed = totals->value().length;
  std::printf("  %.2f hours in %.2f s\n", passed.count(), real.count());
  EXPECT_EQ(runtime.handle().alive_tasks(), 0u);
}

}  // namespace
}  // namespace skua::tests
