// sync/mutex.hpp, rw_lock.hpp, condvar.hpp, once_cell.hpp: who has what alone, over the semaphore's model: a value is
// plain data, so two who use it at once are a race, and a lock that is lost is a deadlock.
#include "sync.hpp"

#include <skua/sync/condvar.hpp>
#include <skua/sync/mutex.hpp>
#include <skua/sync/notify.cpp>
#include <skua/sync/once_cell.hpp>
#include <skua/sync/rw_lock.hpp>
#include <skua/sync/semaphore.cpp>

#include <optional>
#include <utility>

namespace skua::frames {
// relacy's memory: it sees what leaks, and what is used after it is freed.
void* allocate_frame(std::size_t size) { return static_cast<char*>(::operator new(prefix_size + size)) + prefix_size; }
void deallocate_frame(void* frame, std::size_t) noexcept { ::operator delete(static_cast<char*>(frame) - prefix_size); }
}  // namespace skua::frames

using namespace skua;
using model::await;
using model::check;
using model::Var;

namespace {

struct MutexModel : rl::test_suite<MutexModel, 3> {
  void before() { mutex.emplace(); }
  void after() {
    check(mutex->value_unlocked().read() == 2, "both have counted");
    mutex.reset();
  }
  void thread(unsigned i) {
    if (i == 0) {
      auto dropped = mutex->lock();
      static_cast<void>(model::poll_once(dropped));
      return;
    }
    auto guard = await(mutex->lock());
    guard->add(1);
  }
  std::optional<Mutex<Var<int>>> mutex;
};

/// A writer that goes on as a reader lets readers in, and no writer.
struct Downgrade : rl::test_suite<Downgrade, 3> {
  void before() { lock.emplace(); }
  void after() { lock.reset(); }
  void thread(unsigned i) {
    if (i == 0) {
      auto writer = await(lock->write());
      const int written = writer->add(1) + 1;
      const auto reader = std::move(writer).downgrade();
      check(reader->read() == written, "no writer came between");
    } else if (i == 1) {
      auto writer = await(lock->write());
      writer->add(1);
    } else {
      const auto reader = await(lock->read());
      reader->read();
    }
  }
  std::optional<RwLock<Var<int>>> lock;
};

/// Two that read and then write, each on what it has read, and a writer.
struct Upgrades : rl::test_suite<Upgrades, 3> {
  void before() { lock.emplace(); }
  void after() {
    check(lock->value_unlocked().read() == 3, "nobody has overwritten another");
    lock.reset();
  }
  void thread(unsigned i) {
    if (i == 2) {
      auto writer = await(lock->write());
      writer->add(1);
      return;
    }
    auto reader = await(lock->read_upgradable());
    const int seen = reader->read();
    auto writer = await(std::move(reader).upgrade());
    check(writer->add(1) == seen, "no writer came between");
  }
  std::optional<RwLock<Var<int>>> lock;
};

/// One who is about to become the writer gives up: those who wait go on.
struct DroppedUpgrade : rl::test_suite<DroppedUpgrade, 3> {
  void before() { lock.emplace(); }
  void after() { lock.reset(); }
  void thread(unsigned i) {
    if (i == 0) {
      auto dropped = await(lock->read_upgradable()).upgrade();
      static_cast<void>(model::poll_once(dropped));
    } else if (i == 1) {
      const auto reader = await(lock->read());
      reader->read();
    } else {
      auto reader = await(lock->read_upgradable());
      auto writer = await(std::move(reader).upgrade());
      writer->add(1);
    }
  }
  std::optional<RwLock<Var<int>>> lock;
};

template <class Derived>
struct CondvarModel : rl::test_suite<Derived, 3> {
  void before() {
    mutex.emplace();
    changed.emplace();
  }
  void after() {
    changed.reset();
    mutex.reset();
  }
  /// With the mutex locked, so that who is chosen may have to wait for it.
  void change_and_notify() {
    auto guard = await(mutex->lock());
    guard->add(1);
    changed->notify_one();
  }
  void wait_and_take() {
    auto guard = await(mutex->lock());
    while (guard->read() == 0) guard = await(changed->wait(std::move(guard)));
    guard->add(-1);
  }
  std::optional<Mutex<Var<int>>> mutex;
  std::optional<Condvar> changed;
};

struct ConsumersAndProducer : CondvarModel<ConsumersAndProducer> {
  void thread(unsigned i) {
    if (i == 0) {
      change_and_notify();
      change_and_notify();
    } else {
      wait_and_take();
    }
  }
};

/// Who is dropped when it has been chosen, also while it waits for the mutex, hands the notification on.
struct DroppedConsumer : CondvarModel<DroppedConsumer> {
  void thread(unsigned i) {
    if (i == 0) {
      change_and_notify();
    } else if (i == 1) {
      wait_and_take();
    } else {
      auto dropped = changed->wait(await(mutex->lock()));
      for (int polls = 0; polls < 2; ++polls) {
        if (model::poll_once(dropped).is_ready()) return changed->notify_one();  // it is given on by hand
      }
    }
  }
};

/// Two that want the value, one who gives up: it is made once, and seen whole.
struct OnceCellModel : rl::test_suite<OnceCellModel, 3> {
  void before() { cell.emplace(); }
  void after() {
    check(made.read() == 1, "once");
    cell.reset();
  }
  Task<Var<int>*> get() {
    return cell->get_or_init([this]() -> Task<int> {
      made.add(1);
      co_return 7;
    });
  }
  void thread(unsigned i) {
    if (i == 0) {
      auto dropped = get();
      static_cast<void>(model::poll_once(dropped));
      return;
    }
    check(await(get())->read() == 7, "the value");
    if (Var<int>* const there = cell->get()) check(there->read() == 7, "for everybody");
  }
  std::optional<OnceCell<Var<int>>> cell;
  Var<int> made;
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("locks", argc, argv);
  runner.run<MutexModel>("mutex", 20);
  runner.run<Downgrade>("downgrade", 20);
  runner.run<Upgrades>("upgrades", 20);
  runner.run<DroppedUpgrade>("dropped_upgrade", 20);
  runner.run<ConsumersAndProducer>("consumers_and_producer", 20);
  runner.run<DroppedConsumer>("dropped_consumer", 5);
  runner.run<OnceCellModel>("once_cell", 20);
  return runner.exit_code();
}
