// blocking/blocking_queue.hpp: operations at the limit of threads, while threads go idle, time out, are called, refused
// or told to end. Each operation is performed once, or given back once; none is stranded, which shows as a deadlock.
//
// Time: whether an idle thread's has passed is a choice of the search, each time it looks.
#include "woken_thread.hpp"

#include <skua/blocking/blocking_queue.hpp>

namespace skua::seam {
inline Instant chosen_now() noexcept { return Instant(Duration(rl::rand(2))); }
}  // namespace skua::seam

#define now chosen_now
#include <skua/blocking/blocking_queue.cpp>
#undef now
#include <skua/reactor/operation.cpp>

using namespace skua;
using namespace skua::reactor;
using model::check;
using model::WokenThread;

namespace {

constexpr Duration keep_alive = Duration(1);
constexpr int performed_result = 1;

class Call final : public Operation {
 public:
  int perform() noexcept override {
    check(performed.add(1) == 0, "performed once");
    return performed_result;
  }
  model::Var<int> performed;
};

/// How many threads are to be started; closed: none any more.
class Starts {
 public:
  void add() {
    const seam::Lock lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  void close() {
    const seam::Lock lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }
  bool take() {
    const seam::Lock lock(mutex_);
    while (count_ == 0 && !closed_) changed_.wait(mutex_);
    if (count_ == 0) return false;
    --count_;
    return true;
  }

 private:
  seam::Mutex mutex_;
  seam::Condvar changed_;
  int count_ = 0;
  bool closed_ = false;
};

template <class Derived, unsigned Threads>
struct QueueModel : rl::test_suite<Derived, Threads> {
  static constexpr std::uint32_t limit = 1;
  void before() { queue.emplace(Derived::limit, keep_alive); }

  /// A thread of the pool, one after the other.
  void serve() {
    while (starts.take()) queue->serve();
  }
  void submit(Ref<Operation> operation) {
    switch (queue->submit(operation)) {
      case BlockingQueue::Admission::queued: break;
      case BlockingQueue::Admission::needs_thread: static_cast<Derived*>(this)->start(); break;
      case BlockingQueue::Admission::refused: operation->complete(-1); break;
    }
  }
  void start() { starts.add(); }
  int await(const Ref<Operation>& call) {
    const auto woken = make_ref<WokenThread>();
    for (;;) {
      Poll<int> now = call->poll(make_waker(woken));
      if (now.is_ready()) return now.value();
      woken->event.consume();
    }
  }
  void submit_and_await() {
    const auto call = make_ref<Call>();
    submit(call);
    const int found = await(call);
    check(call->performed.read() == (found == performed_result ? 1 : 0), "performed, or given back");
  }
  void close() {
    OperationList left;
    queue->close(left);
    while (const Ref<Operation> operation = left.pop()) operation->complete(-1);
  }
  /// By each submitter, when he has done.
  void finish(std::uint32_t submitters) {
    if (finished.fetch_add(1, std::memory_order_acq_rel) + 1 < submitters) return;
    close();
    starts.close();
  }
  void after() { queue.reset(); }

  std::optional<BlockingQueue> queue;
  Starts starts;
  seam::Atomic<std::uint32_t> finished;
};

struct AtTheLimit : QueueModel<AtTheLimit, 3> {
  void thread(unsigned i) {
    if (i == 0) return serve();
    submit_and_await();
    submit_and_await();
    finish(2);
  }
};

struct TwoThreads : QueueModel<TwoThreads, 4> {
  static constexpr std::uint32_t limit = 2;
  void thread(unsigned i) {
    if (i < 2) return serve();
    submit_and_await();
    submit_and_await();
    finish(2);
  }
};

/// Two calls of each submitter at once: more calls than threads that can answer.
struct Bursts : QueueModel<Bursts, 3> {
  void thread(unsigned i) {
    if (i == 0) return serve();
    const auto first = make_ref<Call>();
    const auto second = make_ref<Call>();
    submit(first);
    submit(second);
    check(await(second) == performed_result && await(first) == performed_result, "both are performed");
    finish(2);
  }
};

struct Withdrawn : QueueModel<Withdrawn, 3> {
  void thread(unsigned i) {
    if (i == 0) return serve();
    const auto call = make_ref<Call>();
    submit(call);
    if (const Ref<Operation> withdrawn = queue->withdraw(*call)) withdrawn->complete(-1);
    const int found = await(call);
    check(call->performed.read() == (found == performed_result ? 1 : 0), "performed, or withdrawn");
    finish(2);
  }
};

/// No thread is started after the end; who asks for one then finds nothing of his in the queue.
struct ClosedMeanwhile : QueueModel<ClosedMeanwhile, 4> {
  void start() {
    // acquire, as under the pool's lock: the queue was closed before
    if (is_shut_down.load(std::memory_order_acquire) == 0) return starts.add();
    OperationList stranded;
    queue->thread_refused(stranded);
    check(stranded.is_empty(), "close() has given them back");
  }
  void thread(unsigned i) {
    if (i == 0) return serve();
    if (i == 3) {
      close();
      is_shut_down.store(1, std::memory_order_release);
    } else {
      submit_and_await();
    }
    finish(3);
  }
  seam::Atomic<std::uint32_t> is_shut_down;
};

/// Of the two threads that are asked for, the first is refused, or both are.
struct ThreadRefused : QueueModel<ThreadRefused, 3> {
  static constexpr std::uint32_t limit = 2;
  void start() {
    if (asked.fetch_add(1, std::memory_order_relaxed) >= refusals) return starts.add();
    OperationList stranded;
    queue->thread_refused(stranded);
    while (const Ref<Operation> operation = stranded.pop()) operation->complete(-1);
  }
  void before() {
    QueueModel::before();
    refusals = 1 + rl::rand(2);
  }
  void thread(unsigned i) {
    if (i == 0) return serve();
    submit_and_await();
    finish(2);
  }
  seam::Atomic<std::uint32_t> asked;
  std::uint32_t refusals = 0;
};

/// The limit goes up and down while calls are made. A thread that was called may be the one too many.
struct LimitsChange : QueueModel<LimitsChange, 4> {
  static constexpr std::uint32_t limit = 2;
  void thread(unsigned i) {
    if (i < 2) return serve();
    if (i == 2) {
      submit_and_await();
      submit_and_await();
    } else {
      set_limit(1);
      set_limit(2);
    }
    finish(2);
  }
  void set_limit(std::uint32_t most) {
    for (auto missing = queue->set_limits(most, keep_alive); missing > 0; --missing) start();
  }
};

/// A call that waits at the limit is taken up when the limit rises, although who has the only thread waits for it.
struct LimitRises : QueueModel<LimitRises, 4> {
  void thread(unsigned i) {
    if (i < 2) return serve();
    if (i == 2) {
      const auto waiting = make_ref<WaitingCall>();
      const auto second = make_ref<Call>();
      submit(waiting);
      submit(second);
      check(await(second) == performed_result, "performed, while the first waits");
      waiting->go.set();
      check(await(waiting) == performed_result, "performed");
    } else {
      for (auto missing = queue->set_limits(2, keep_alive); missing > 0; --missing) start();
    }
    finish(2);
  }
  class WaitingCall final : public Operation {
   public:
    int perform() noexcept override {
      go.consume();
      return performed_result;
    }
    model::Event go;
  };
};

/// Two threads idle, two calls, and the limit falls: whoever was called and has to end passes the call on.
struct LimitFalls : QueueModel<LimitFalls, 4> {
  static constexpr std::uint32_t limit = 2;
  void thread(unsigned i) {
    if (i < 2) return serve();
    if (i == 2) {
      const auto first = make_ref<Call>();
      const auto second = make_ref<Call>();
      submit(first);
      submit(second);
      check(await(first) == performed_result && await(second) == performed_result, "both are performed");
      submit_and_await();
    } else {
      check(queue->set_limits(1, keep_alive) == 0, "nothing to start");
    }
    finish(2);
  }
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("queue", argc, argv);
  runner.run<AtTheLimit>("at_the_limit", 20);
  runner.run<TwoThreads>("two_threads", 20);
  runner.run<Bursts>("bursts", 20);
  runner.run<Withdrawn>("withdrawn", 20);
  runner.run<ClosedMeanwhile>("closed_meanwhile", 20);
  runner.run<ThreadRefused>("thread_refused", 20);
  runner.run<LimitsChange>("limits_change", 20);
  runner.run<LimitRises>("limit_rises", 20);
  runner.run<LimitFalls>("limit_falls", 20);
  return runner.exit_code();
}
