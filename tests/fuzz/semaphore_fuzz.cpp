// Semaphore against a list: any sequence of waits that begin, look again and are dropped, permits that come and go, and
// the end.
#include <skua/sync/semaphore.hpp>

#include "../runtime/polled.hpp"
#include "input.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>

namespace skua::tests {
namespace {

/// What a semaphore is said to do, without a thought of threads.
struct Reference {
  enum class State { none, waits, granted, refused };
  struct Wait {
    State state = State::none;
    std::size_t permits = 0;
  };

  explicit Reference(std::size_t permits) : free(permits) {}

  bool can_take(const Wait& wait, bool is_first) const { return (queue.empty() || is_first) && free >= wait.permits; }
  void begin(Wait& wait, bool is_first) {
    if (is_closed) {
      wait.state = State::refused;
    } else if (can_take(wait, is_first)) {
      free -= wait.permits;
      wait.state = State::granted;
    } else {
      wait.state = State::waits;
      is_first ? queue.push_front(&wait) : queue.push_back(&wait);
    }
  }
  void give(std::size_t permits) {
    free += permits;
    while (!queue.empty() && queue.front()->permits <= free) {
      free -= queue.front()->permits;
      queue.front()->state = State::granted;
      queue.pop_front();
    }
  }
  void drop(Wait& wait) {
    std::erase(queue, &wait);
    give(wait.state == State::granted ? wait.permits : 0);
    wait = Wait();
  }
  void close() {
    is_closed = true;
    for (Wait* const wait : queue) wait->state = State::refused;
    queue.clear();
  }

  std::size_t free;
  std::size_t held = 0;
  bool is_closed = false;
  std::deque<Wait*> queue;
};

class SemaphoreFuzzer {
 public:
  explicit SemaphoreFuzzer(Input input) : input_(input), permits_(input_.below(5)) {}

  void run() {
    while (!input_.is_over()) {
      step();
      check();
    }
  }

 private:
  using State = Reference::State;
  struct Slot {
    std::optional<Polled<Semaphore::Wait>> future;
    Reference::Wait expected;
    bool is_seen = false;
  };

  void step() {
    Slot& slot = slots_[input_.below(slot_count)];
    switch (input_.below(10)) {
      case 0:
      case 1:
      case 2: return begin(slot);
      case 3: return look(slot);
      case 4: return drop(slot);
      case 5: return give_back();
      case 6: return try_take(input_.below(4));
      case 7: return add(input_.below(3));
      case 8: return forget(input_.below(3));
      default: return input_.below(16) == 0 ? close() : look(slot);
    }
  }

  void begin(Slot& slot) {
    if (slot.future) return;
    const std::size_t permits = input_.below(4);
    const bool is_first = input_.below(4) == 0;
    slot.future.emplace(
        Semaphore::Wait(semaphore_, permits, is_first ? Semaphore::Wait::Place::first : Semaphore::Wait::Place::last));
    slot.expected.permits = permits;
    reference_.begin(slot.expected, is_first);
    slot.is_seen = false;
    look(slot);
  }
  void look(Slot& slot) {
    if (!slot.future || slot.is_seen) return;
    require(slot.future->is_ready() == (slot.expected.state != State::waits), "ready when it should not be, or not");
    if (!slot.future->is_ready()) return;
    slot.is_seen = true;
    require(slot.future->value() == (slot.expected.state == State::granted), "granted, not refused, or the reverse");
    if (slot.expected.state == State::granted) reference_.held += slot.expected.permits;
    slot.expected = Reference::Wait();  // the permits are held now
    slot.future.reset();
  }
  void drop(Slot& slot) {
    if (!slot.future) return;
    reference_.drop(slot.expected);
    slot.future.reset();
  }
  void give_back() {
    const std::size_t count = std::min<std::size_t>(reference_.held, input_.below(4));
    semaphore_.release(count);
    reference_.held -= count;
    reference_.give(count);
  }
  void try_take(std::size_t permits) {
    const auto attempt = semaphore_.try_take(permits);
    Reference::Wait wait;
    wait.permits = permits;
    if (reference_.is_closed) return require(attempt == Semaphore::Attempt::closed, "it is closed");
    const bool can_take = reference_.can_take(wait, false);
    require((attempt == Semaphore::Attempt::taken) == can_take, "taken past who waits, or not taken");
    if (!can_take) return;
    reference_.free -= permits;
    reference_.held += permits;
  }
  void add(std::size_t permits) {
    if (permits_ + permits > most_permits) return;
    permits_ += permits;
    semaphore_.add_permits(permits);
    reference_.give(permits);
  }
  void forget(std::size_t permits) {
    const std::size_t count = std::min(permits, reference_.free);
    require(semaphore_.forget_permits(permits) == count, "forgets what is free");
    reference_.free -= count;
    permits_ -= count;
  }
  void close() {
    semaphore_.close();
    reference_.close();
  }

  void check() {
    require(semaphore_.available_permits() == reference_.free, "free permits");
    require(semaphore_.is_closed() == reference_.is_closed, "closed");
    for (Slot& slot : slots_) {
      if (!slot.future) continue;
      const bool is_answered = slot.expected.state != State::waits;
      require((slot.future->wakes() > 0) == is_answered, "woken when it is answered, and not before");
    }
  }

  static constexpr unsigned slot_count = 8;
  static constexpr std::size_t most_permits = 1'000;
  Input input_;
  std::size_t permits_;
  Semaphore semaphore_{permits_};
  Reference reference_{permits_};
  std::array<Slot, slot_count> slots_;
};

}  // namespace
}  // namespace skua::tests

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  skua::tests::SemaphoreFuzzer(skua::tests::Input(bytes, count)).run();
  return 0;
}
