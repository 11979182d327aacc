// reactor/driver.hpp: a timer that another thread arms reaches an owner who is about to sleep for longer.
//
// The driver and its wheel are the production ones; the poller is a flag that threads wait for. Time does not pass
// here: the deadlines are an hour and more away, and a sleep of at most an hour and a half is one that ends by itself,
// while a longer one ends by signal() alone. So a timer whose owner is not told ends as a deadlock.
#include "driver_sources.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

using namespace skua;
using namespace skua::reactor;
using namespace std::chrono_literals;
using model::check;

namespace {

constexpr Duration longest_that_ends = 90min;

class FlagPoller final : public Poller {
 public:
  explicit FlagPoller(std::vector<std::optional<Duration>>* sleeps) : sleeps_(sleeps) {}

  const char* name() const noexcept override { return "model"; }
  int arm(int, Token) override { return 0; }
  bool disarm(int, Token) override { return true; }
  bool flush() override { return true; }
  void wait(std::optional<Duration> timeout) override {
    sleeps_->push_back(timeout);
    if (!timeout || *timeout > longest_that_ends) signalled_.consume();
  }
  void reap(PollSink&, std::size_t) override {}
  void signal() noexcept override { signalled_.set(); }

 private:
  std::vector<std::optional<Duration>>* const sleeps_;
  model::Event signalled_;
};

template <class Derived, unsigned Threads>
struct DriverModel : rl::test_suite<Derived, Threads> {
  void before() { driver = make_ref<Driver>(std::make_unique<FlagPoller>(&sleeps)); }
  /// The owner: turns until it has slept no longer than until the first timer.
  void turn_until_bounded() {
    while (!slept_until_timer()) driver->park();
  }
  bool slept_until_timer() const {
    return std::any_of(sleeps.begin(), sleeps.end(),
                       [](const auto& timeout) { return timeout && *timeout <= longest_that_ends; });
  }
  void arm(TimerEntry& entry, Duration delay) { driver->arm_timer(entry, seam::now() + delay, Waker::noop()); }
  void after() {
    for (TimerEntry& entry : entries) driver->cancel_timer(entry);
    check(driver->armed_timers() == 0, "no timer is left");
    driver = nullptr;
  }
  Ref<Driver> driver;
  std::vector<std::optional<Duration>> sleeps;  // the owner's
  TimerEntry entries[2];
};

struct InsertWhileParking : DriverModel<InsertWhileParking, 2> {
  void thread(unsigned i) { i == 0 ? turn_until_bounded() : arm(entries[0], 1h); }
};

struct EarlierThanTheFirst : DriverModel<EarlierThanTheFirst, 2> {
  void before() {
    DriverModel::before();
    arm(entries[1], 10h);
  }
  void thread(unsigned i) { i == 0 ? turn_until_bounded() : arm(entries[0], 1h); }
};

struct TwoInserts : DriverModel<TwoInserts, 3> {
  void thread(unsigned i) {
    if (i == 0) return turn_until_bounded();
    arm(entries[i - 1], i == 1 ? Duration(1h) : Duration(10h));
  }
};

struct WakeBesideInsert : DriverModel<WakeBesideInsert, 3> {
  void thread(unsigned i) {
    if (i == 0) {
      while (!slept_until_timer() || flag.load(std::memory_order_relaxed) == 0) driver->park();
    } else if (i == 1) {
      arm(entries[0], 1h);
    } else {
      flag.store(1, std::memory_order_relaxed);
      driver->wake();
    }
  }
  seam::Atomic<std::uint32_t> flag;
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("driver", argc, argv);
  runner.run<InsertWhileParking>("timer_inserted_while_parking");
  runner.run<EarlierThanTheFirst>("timer_earlier_than_the_first");
  runner.run<TwoInserts>("two_timers_inserted");
  runner.run<WakeBesideInsert>("wake_beside_insert");
  return runner.exit_code();
}
