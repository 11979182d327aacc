// scheduler/worker_loan.hpp: a worker that goes from thread to thread has one holder at a time, who sees what the one
// before did, and comes back to the thread that wants it.
//
// The holder writes to a variable that nobody guards. A substitute runs until it is asked for the worker, and sleeps
// meanwhile: a home thread that nobody hears ends as a deadlock.
#include "harness.hpp"

#include <skua/core/park_token.hpp>
#include <skua/scheduler/worker_loan.hpp>

using namespace skua;
using model::check;
using scheduler::WorkerLoan;

namespace {

/// What a worker sleeps in.
class Parker {
 public:
  void park() {
    if (!token_.begin_sleep()) return;
    event_.consume();
    token_.end_sleep();
  }
  void unpark() {
    if (token_.wake()) event_.set();
  }

 private:
  ParkToken token_;
  model::Event event_;
};

template <class Derived, unsigned Threads>
struct LoanModel : rl::test_suite<Derived, Threads> {
  /// By the holder.
  void run_worker() { polls.add(1); }
  void go_and_come_back() {
    run_worker();
    loan.lend();
    static_cast<Derived*>(this)->while_lent();
    loan.take_back([this] { parker.unpark(); });
    run_worker();
  }
  /// True: it was the holder, and gave the worker back.
  bool substitute() {
    if (!loan.accept()) return false;
    run_worker();
    while (!loan.is_wanted_back()) parker.park();
    run_worker();
    loan.give_back();
    return true;
  }
  void while_lent() {}

  WorkerLoan loan;
  Parker parker;
  model::Var<int> polls;
};

struct OneSubstitute : LoanModel<OneSubstitute, 2> {
  void thread(unsigned i) {
    if (i == 0) {
      go_and_come_back();
      go_and_come_back();
    } else {
      static_cast<void>(substitute());
    }
  }
};

/// Of several that come for one loan, as when calls of loans before are still in the pool's queue, one has it.
struct SeveralSubstitutes : LoanModel<SeveralSubstitutes, 3> {
  void thread(unsigned i) {
    if (i == 0) return go_and_come_back();
    if (substitute()) taken.fetch_add(1, std::memory_order_relaxed);
  }
  void after() { check(polls.read() == 2 + 2 * static_cast<int>(taken.load(std::memory_order_relaxed)), "each alone"); }
  seam::Atomic<std::uint32_t> taken;
};

/// The home thread wants it back once a substitute has it, so that it has to wait; twice.
struct TakenForSure : LoanModel<TakenForSure, 2> {
  void while_lent() {
    offered.set();
    accepted.consume();
  }
  void thread(unsigned i) {
    for (int round = 0; round < 2; ++round) {
      if (i == 0) {
        go_and_come_back();
        continue;
      }
      offered.consume();
      check(loan.accept(), "nobody else has it, and it is not wanted back");
      accepted.set();
      run_worker();
      while (!loan.is_wanted_back()) parker.park();
      run_worker();
      loan.give_back();
    }
  }
  model::Event offered;
  model::Event accepted;
};

/// The substitute lends it on, from inside of a poll, perhaps while the home thread waits for it.
struct LentOn : LoanModel<LentOn, 3> {
  void thread(unsigned i) {
    if (i == 0) return go_and_come_back();
    if (i == 2) return static_cast<void>(substitute());
    if (!loan.accept()) return;
    run_worker();
    loan.lend();
  }
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("worker_loan", argc, argv);
  runner.run<OneSubstitute>("one_substitute", 20);
  runner.run<SeveralSubstitutes>("several_substitutes", 20);
  runner.run<TakenForSure>("taken_for_sure", 20);
  runner.run<LentOn>("lent_on", 20);
  return runner.exit_code();
}
