// select(), race(), and FuturesUnordered against what they are said to do: futures that become ready, are guarded,
// borrowed and dropped in any order, whoever is asked first.
#include <skua/task/futures_unordered.hpp>
#include <skua/task/race.hpp>
#include <skua/task/select.hpp>

#include "../runtime/polled.hpp"
#include "input.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace skua::tests {
namespace {

/// What a future waits for, and what it has gone through.
struct Event {
  bool is_ready = false;
  bool is_taken = false;  // by the one future that was ready with it
  int polls = 0;
  int alive = 0;
  Waker waker;

  void set() {
    is_ready = true;
    std::exchange(waker, Waker()).wake();
  }
};

/// Ready with `number` once its event is.
class Waiting {
 public:
  Waiting(std::shared_ptr<Event> event, int number) : event_(std::move(event)), number_(number) { ++event_->alive; }
  Waiting(Waiting&& other) noexcept : event_(other.event_), number_(other.number_) { ++event_->alive; }
  ~Waiting() { --event_->alive; }
  Poll<int> poll(Context& context) {
    ++event_->polls;
    require(!event_->is_taken, "polled again after it was ready");
    if (!event_->is_ready) {
      event_->waker = context.waker();
      return pending;
    }
    event_->is_taken = true;
    return number_;
  }

 private:
  std::shared_ptr<Event> event_;
  int number_;
};

class SelectFuzzer {
 public:
  explicit SelectFuzzer(Input input) : input_(input) {}

  void run() {
    while (!input_.is_over()) {
      switch (input_.below(4)) {
        case 0: select_once<SelectOrder::fair>(); break;
        case 1: select_once<SelectOrder::as_given>(); break;
        case 2: race_once(); break;
        default: run_set(); break;
      }
    }
  }

 private:
  using Events = std::array<std::shared_ptr<Event>, 3>;

  static Events three_events() {
    Events events;
    for (auto& event : events) event = std::make_shared<Event>();
    return events;
  }
  Waiting waiting(const Events& events, int number) {
    return Waiting(events[static_cast<std::size_t>(number)], number);
  }

  // --- select(): two of its own, one that is borrowed, each on or off
  // -------------------------------------------------

  template <SelectOrder order>
  void select_once() {
    const Events events = three_events();
    const std::array<bool, 3> on{input_.below(4) != 0, input_.below(4) != 0, input_.below(4) != 0};
    Waiting borrowed = waiting(events, 2);
    {
      auto first = when(on[0], waiting(events, 0));
      auto second = when(on[1], waiting(events, 1));
      auto third = when(on[2], borrowed);
      if constexpr (order == SelectOrder::fair) {
        drive(events, on, false, select(std::move(first), std::move(second), std::move(third), otherwise));
      } else {
        drive(events, on, true, select(biased, std::move(first), std::move(second), std::move(third), otherwise));
      }
    }
    for (std::size_t i = 0; i < 3; ++i) require(on[i] || events[i]->polls == 0, "one that is off is never asked");
    require(events[0]->alive == 0 && events[1]->alive == 0, "those of its own are gone");
    require(events[2]->alive == 1, "the borrowed one is left");
    if (events[2]->is_taken) return;
    events[2]->set();
    Polled rest(std::move(borrowed));
    require(rest.is_ready() && rest.value() == 2, "and has lost nothing");
  }

  template <class S>
  void drive(const Events& events, const std::array<bool, 3>& on, bool is_biased, S first) {
    Polled selected(std::move(first));
    int wakes = 0;
    for (int steps = 0; steps < 6; ++steps) {
      std::optional<std::size_t> ready;
      for (std::size_t i = 3; i-- > 0;) {
        if (on[i] && events[i]->is_ready) ready = i;
      }
      const bool all_off = !on[0] && !on[1] && !on[2];
      require(selected.is_ready() == (ready || all_off), "ready with the first of its branches");
      if (selected.is_ready()) {
        const std::size_t index = selected.value().index();
        if (all_off) return require(index == 3, "all are off");
        require(index < 3 && on[index] && events[index]->is_ready, "one that is on, and ready");
        if (is_biased) require(index == *ready, "the first of them");
        for (std::size_t i = 0; i < 3; ++i) {
          require(events[i]->is_taken == (i == index), "the others are left as they were");
        }
        return;
      }
      const unsigned which = input_.below(8);
      for (std::size_t i = 0; i < 3; ++i) {
        if ((which >> i & 1) == 0 || events[i]->is_ready) continue;
        events[i]->set();
        if (on[i]) ++wakes;
      }
      require(selected.wakes() == wakes, "it is woken by what it waits for, and by nothing else");
    }
  }

  void race_once() {
    const Events events = three_events();
    {
      Polled raced(race(waiting(events, 0), waiting(events, 1), waiting(events, 2)));
      for (int steps = 0; steps < 4; ++steps) {
        const bool any = std::any_of(events.begin(), events.end(), [](const auto& event) { return event->is_ready; });
        require(raced.is_ready() == any, "ready with the first");
        if (any) {
          require(events[static_cast<std::size_t>(raced.value())]->is_taken, "its output");
          break;
        }
        const unsigned i = input_.below(4);
        if (i < 3) events[i]->set();
      }
    }
    for (const auto& event : events) require(event->alive == 0, "the others are gone");
  }

  // --- FuturesUnordered
  // -----------------------------------------------------------------------------------------------

  void run_set() {
    FuturesUnordered<Waiting> set;
    std::vector<std::shared_ptr<Event>> events;
    std::deque<int> ready;   // in the order in which they will come
    std::deque<int> unseen;  // pushed, not polled yet: their events may be set before
    for (bool more = true; more && !input_.is_over();) {
      switch (input_.below(6)) {
        case 0:
        case 1: push(set, events, unseen); break;
        case 2:
        case 3: set_one(events, ready, unseen); break;
        case 4: take_next(set, events, ready, unseen); break;
        default: more = input_.below(4) != 0; break;
      }
      require(static_cast<std::size_t>(alive(events)) == set.size(), "it holds what it says");
    }
    if (input_.below(2) == 0) {
      for (std::size_t i = 0; i < events.size(); ++i) {
        if (!events[i]->is_ready) set_event(events, static_cast<int>(i), ready, unseen);
      }
      for (std::size_t left = set.size(); left > 0; --left) take_next(set, events, ready, unseen);
      require(set.is_empty(), "each came once");
    }
    set = FuturesUnordered<Waiting>();
    require(alive(events) == 0, "dropping it drops them all");
    for (const auto& event : events) std::exchange(event->waker, Waker()).wake();  // which is nobody's any more
  }

  void push(FuturesUnordered<Waiting>& set, std::vector<std::shared_ptr<Event>>& events, std::deque<int>& unseen) {
    const int number = static_cast<int>(events.size());
    events.push_back(std::make_shared<Event>());
    set.push(Waiting(events.back(), number));
    unseen.push_back(number);
  }
  void set_one(std::vector<std::shared_ptr<Event>>& events, std::deque<int>& ready, std::deque<int>& unseen) {
    if (events.empty()) return;
    const int number = static_cast<int>(input_.below(256)) % static_cast<int>(events.size());
    if (!events[static_cast<std::size_t>(number)]->is_ready) set_event(events, number, ready, unseen);
  }
  static void set_event(std::vector<std::shared_ptr<Event>>& events, int number, std::deque<int>& ready,
                        std::deque<int>& unseen) {
    events[static_cast<std::size_t>(number)]->set();
    // One that has not been polled keeps its place among those that wait for their first poll.
    if (std::find(unseen.begin(), unseen.end(), number) == unseen.end()) ready.push_back(number);
  }
  void take_next(FuturesUnordered<Waiting>& set, std::vector<std::shared_ptr<Event>>& events, std::deque<int>& ready,
                 std::deque<int>& unseen) {
    const bool was_empty = set.is_empty();
    CountedContext context;
    auto result = set.poll_next(context);
    if (was_empty) return require(result.is_ready() && !result.value(), "the end");
    const bool any = !ready.empty() || std::any_of(unseen.begin(), unseen.end(), [&](int number) {
      return events[static_cast<std::size_t>(number)]->is_ready;
    });
    require(result.is_ready() == any, "ready if one of them is");
    if (!any) return unseen.clear();  // all have been polled
    const int number = *result.value();
    require(events[static_cast<std::size_t>(number)]->is_taken, "its output");
    if (unseen.empty()) require(number == ready.front(), "in the order of the wakes");
    std::erase(ready, number);
    // Those that were polled on the way and were not ready have begun to wait.
    std::erase_if(unseen, [&](int other) { return events[static_cast<std::size_t>(other)]->polls > 0; });
  }
  static int alive(const std::vector<std::shared_ptr<Event>>& events) {
    int count = 0;
    for (const auto& event : events) count += event->alive;
    return count;
  }

  Input input_;
};

}  // namespace
}  // namespace skua::tests

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  skua::tests::SelectFuzzer(skua::tests::Input(bytes, count)).run();
  return 0;
}
