// The timer wheel against a sorted map: any sequence of arming, cancelling, time that passes, and the end of it all.
#include <skua/reactor/timer_wheel.hpp>

#include "../reactor/timer_wheel_reference.hpp"
#include "input.hpp"

#include <algorithm>
#include <chrono>

namespace skua::reactor::tests {
namespace {

using skua::tests::Input;
using skua::tests::require;

class WheelFuzzer {
 public:
  explicit WheelFuzzer(Input input) : input_(input) {}

  void run() {
    while (!input_.is_over()) {
      step();
      require(wheels_.next_deadline_is_in_time(), "next_deadline() is after the first timer");
    }
    end();
  }

 private:
  void step() {
    const std::size_t which = input_.below(timers);
    switch (input_.below(9)) {
      case 0:
      case 1:
      case 2: return arm(which, wheels_.now() + length());
      case 3: return arm(which, wheels_.now() - length());
      case 4: return arm(which, on_a_boundary());
      case 5: return cancel(which);
      case 6: return advance(wheels_.now() + length());
      case 7: return advance(wheels_.now() - length());  // a clock that steps back
      default: return advance(std::max(wheels_.now(), wheels_.next_deadline().value_or(wheels_.now())));
    }
  }

  // Every level, and beyond the top one: 2^52 ns are the whole wheel. The sum of a run's lengths stays within a
  // century.
  Duration length() { return Duration(static_cast<Duration::rep>(input_.number(input_.below(54)))); }

  // The first tick of a slot on some level, one before, or one after.
  Instant on_a_boundary() {
    const unsigned level_shift = TimerWheel::tick_shift + TimerWheel::bits_per_level * input_.below(TimerWheel::levels);
    const auto slots_from_origin = (wheels_.now() - origin).count() >> level_shift;
    const auto boundary = Duration((slots_from_origin + 1 + input_.below(3)) << level_shift);
    return origin + boundary + (static_cast<int>(input_.below(3)) - 1) * tick;
  }

  void arm(std::size_t which, Instant deadline) {
    if (wheels_.is_armed(which)) wheels_.cancel(which);
    wheels_.arm(which, deadline);
  }
  void cancel(std::size_t which) {
    if (wheels_.is_armed(which)) wheels_.cancel(which);
  }
  void advance(Instant to) {
    if (to > end_of_time) return;
    require(wheels_.advance(to, 1 + input_.below(8)), "wheel and map differ in what has fired");
  }

  // By next_deadline() alone, as a sleeper does; or by force.
  void end() {
    if (wheels_.now().time_since_epoch().count() % 2 == 0) return require(wheels_.fire_all(), "fire_all() leaves some");
    for (int steps = 0; wheels_.next_deadline(); ++steps) {
      require(steps < 100'000, "next_deadline() gets nowhere");
      require(wheels_.advance(std::max(wheels_.now(), *wheels_.next_deadline()), timers), "a sleeper is late");
    }
  }

  static constexpr std::size_t timers = 32;
  static constexpr Instant end_of_time{std::chrono::hours(24 * 365 * 100)};
  Input input_;
  Wheels wheels_{timers};
};

}  // namespace
}  // namespace skua::reactor::tests

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  skua::reactor::tests::WheelFuzzer(skua::tests::Input(bytes, count)).run();
  return 0;
}
