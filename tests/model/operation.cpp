// reactor/operation.hpp: the future polls and lets go, the executor completes. The result is seen once or discarded
// once, and whoever waits is woken.
#include "woken_thread.hpp"

#include <skua/reactor/operation.hpp>

#include <skua/reactor/operation.cpp>

using namespace skua;
using namespace skua::reactor;
using model::check;
using model::WokenThread;

namespace {

constexpr int result = 7;

class Noted final : public Operation {
 public:
  explicit Noted(seam::Atomic<std::uint32_t>* discarded) : discarded_(discarded) {}
  int perform() noexcept override { return 0; }

 private:
  void discard(int with) noexcept override {
    check(with == result, "what is discarded is the result");
    discarded_->fetch_add(1, std::memory_order_relaxed);
  }
  seam::Atomic<std::uint32_t>* const discarded_;
};

template <class Derived, unsigned Threads>
struct OperationModel : rl::test_suite<Derived, Threads> {
  void before() { operation = make_ref<Noted>(&discarded); }
  /// The executor.
  void complete() {
    const Ref<Noted> mine = operation;
    written.write(result);  // what the kernel wrote
    mine->complete(result);
  }
  bool poll(const Ref<WokenThread>& woken) {
    Poll<int> now = operation->poll(make_waker(woken));
    if (now.is_pending()) return false;
    check(now.value() == result, "what is seen is the result");
    check(written.read() == result, "and what came before it");
    seen.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  void await(const Ref<WokenThread>& woken) {
    while (!poll(woken)) woken->event.consume();
  }
  void after() {
    const std::uint32_t all = seen.load(std::memory_order_relaxed) + discarded.load(std::memory_order_relaxed);
    check(all == 1, "the result is seen or discarded, once");
    operation = nullptr;
  }
  Ref<Noted> operation;
  model::Var<int> written;
  seam::Atomic<std::uint32_t> seen;
  seam::Atomic<std::uint32_t> discarded;
};

struct Awaited : OperationModel<Awaited, 2> {
  void thread(unsigned i) {
    if (i == 1) return complete();
    await(make_ref<WokenThread>());
    check(!operation->abandon(), "it is complete");
  }
};

struct WakerReplaced : OperationModel<WakerReplaced, 2> {
  void thread(unsigned i) {
    if (i == 1) return complete();
    if (!poll(make_ref<WokenThread>())) await(make_ref<WokenThread>());
    std::ignore = operation->abandon();
  }
};

struct Abandoned : OperationModel<Abandoned, 2> {
  void thread(unsigned i) {
    if (i == 1) return complete();
    poll(make_ref<WokenThread>());
    std::ignore = operation->abandon();
  }
};

/// Polled on one thread, let go of on another.
struct AbandonedElsewhere : OperationModel<AbandonedElsewhere, 3> {
  void thread(unsigned i) {
    if (i == 1) return complete();
    if (i == 0) {
      poll(make_ref<WokenThread>());
      handed_over.set();
    } else {
      handed_over.wait();
      std::ignore = operation->abandon();
    }
  }
  void after() { OperationModel::after(); }
  model::Event handed_over;
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("operation", argc, argv);
  runner.run<Awaited>("awaited");
  runner.run<WakerReplaced>("waker_replaced");
  runner.run<Abandoned>("abandoned");
  runner.run<AbandonedElsewhere>("abandoned_elsewhere");
  return runner.exit_code();
}
