// sync/semaphore.hpp: permits that are taken, given back, granted, dropped unseen and refused at the same time. A
// permit that is lost shows as a deadlock, one too many as two threads where one may be.
#include "sync.hpp"

#include <skua/sync/semaphore.cpp>

#include <optional>

using namespace skua;
using model::check;

namespace {

template <class Derived, unsigned Threads>
struct SemaphoreModel : rl::test_suite<Derived, Threads> {
  void before() { semaphore.emplace(Derived::permits); }
  void after() {
    check(semaphore->available_permits() == Derived::permits_left, "every permit has come back");
    semaphore.reset();
  }

  /// Waits for `count` permits. False: it is closed.
  bool acquire(std::size_t count, Semaphore::Wait::Place place = Semaphore::Wait::Place::last) {
    Semaphore::Wait wait(*semaphore, count, place);
    return model::await(wait);
  }
  /// A future that is polled once, and dropped if it is not ready: true if it was.
  bool try_and_drop(std::size_t count) {
    Semaphore::Wait wait(*semaphore, count);
    Poll<bool> got = model::poll_once(wait);
    return got.is_ready() && got.value();
  }
  void use_alone() {
    check(users.add(1) == 0, "one at a time");
    users.add(-1);
  }

  std::optional<Semaphore> semaphore;
  model::Var<int> users;  // and so that a missing happens-before shows as a race
};

struct OneAtATime : SemaphoreModel<OneAtATime, 3> {
  static constexpr std::size_t permits = 1, permits_left = 1;
  void thread(unsigned) {
    for (int i = 0; i < 2; ++i) {
      check(acquire(1), "it is open");
      use_alone();
      semaphore->release(1);
    }
  }
};

/// Who wants all is not starved, and what he has waited for goes on.
struct ManyAtOnce : SemaphoreModel<ManyAtOnce, 3> {
  static constexpr std::size_t permits = 2, permits_left = 2;
  void thread(unsigned i) {
    const std::size_t count = i == 0 ? 2 : 1;
    for (int round = 0; round < 2; ++round) {
      check(acquire(count), "it is open");
      if (i == 0) use_alone();
      semaphore->release(count);
    }
  }
};

/// A waiter is dropped while the permit may be on its way to him.
struct DroppedWaiter : SemaphoreModel<DroppedWaiter, 3> {
  static constexpr std::size_t permits = 1, permits_left = 1;
  void thread(unsigned i) {
    if (i == 0) {
      for (int round = 0; round < 2; ++round) {
        if (try_and_drop(1)) semaphore->release(1);
      }
      return;
    }
    check(acquire(1), "it is open");
    use_alone();
    semaphore->release(1);
  }
};

/// Who stood first, and wanted more than there was, is dropped: those behind him must not wait for ever.
struct DroppedGreedy : SemaphoreModel<DroppedGreedy, 3> {
  static constexpr std::size_t permits = 1, permits_left = 1;
  void thread(unsigned i) {
    if (i == 0) {
      check(!try_and_drop(2), "there never are two");
      return;
    }
    check(acquire(1), "it is open");
    use_alone();
    semaphore->release(1);
  }
};

struct Closed : SemaphoreModel<Closed, 3> {
  static constexpr std::size_t permits = 0, permits_left = 0;
  void thread(unsigned i) {
    if (i == 0) {
      written.write(1);
      semaphore->close();
    } else {
      check(!acquire(1), "nobody gets any");
      check(semaphore->is_closed() && written.read() == 1, "what came before close() is seen");
    }
  }
  model::Var<int> written;
};

/// Permits that come from elsewhere: the fast way in against the waiter's way to sleep.
struct Added : SemaphoreModel<Added, 3> {
  static constexpr std::size_t permits = 0, permits_left = 0;
  void thread(unsigned i) {
    if (i == 0) {
      written.write(1);
      semaphore->add_permits(1);
      semaphore->add_permits(1);
    } else {
      check(acquire(1) && written.read() == 1, "what came before release() is seen");
    }
  }
  model::Var<int> written;
};

/// Free permits vanish while they are being granted.
struct Forgotten : SemaphoreModel<Forgotten, 3> {
  static constexpr std::size_t permits = 1, permits_left = 1;
  void thread(unsigned i) {
    if (i == 0) {
      if (semaphore->forget_permits(1) == 0) return;
      use_alone();  // what is forgotten nobody else has
      return semaphore->add_permits(1);
    }
    check(acquire(1), "it is open");
    use_alone();
    semaphore->release(1);
  }
};

/// A reader becomes the writer, before a writer that waits. Two permits: readers take one, writers both.
struct Upgrade : SemaphoreModel<Upgrade, 3> {
  static constexpr std::size_t permits = 2, permits_left = 2;
  void thread(unsigned i) {
    if (i == 0) {
      check(acquire(1), "it is open");
      const int seen = value.read();
      check(acquire(1, Semaphore::Wait::Place::first), "it is open");
      check(value.add(1) == seen, "no writer came between");
      semaphore->release(2);
    } else if (i == 1) {
      check(acquire(2), "it is open");
      value.add(1);
      semaphore->release(2);
    } else {
      check(acquire(1), "it is open");
      value.read();
      semaphore->release(1);
    }
  }
  model::Var<int> value;
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("semaphore", argc, argv);
  runner.run<OneAtATime>("one_at_a_time", 20);
  runner.run<ManyAtOnce>("many_at_once", 20);
  runner.run<DroppedWaiter>("dropped_waiter", 20);
  runner.run<DroppedGreedy>("dropped_greedy", 20);
  runner.run<Closed>("closed", 20);
  runner.run<Added>("added", 20);
  runner.run<Forgotten>("forgotten", 20);
  runner.run<Upgrade>("upgrade", 20);
  return runner.exit_code();
}
