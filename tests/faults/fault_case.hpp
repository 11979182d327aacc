// The conformance frame: what each operation of the runtime does when the system call under it fails.
//
// An operation is one entry of a table (OperationUnderTest); it meets every fault, at its first, its second and a later
// call, on both back ends and in both reactor modes. What must come of it is not taken from the code but from
// expected_answer(), a handful of rules:
//
//   1. A call that only was disturbed (EINTR), or would block (EAGAIN), is made again. The operation knows nothing of
//   it.
//   2. Any other error is the operation's: reported once, as it is, under the operation's name. It does no harm: the
//      next operation works, and no byte, connection or wakeup has been lost.
//   3. A short count is what the operation returns; the next one goes on behind it.
//   4. Zero bytes are the end of the stream where it can end.
//   5. A call that only takes longer changes nothing.
//   6. What the runtime does for itself (waiting, waking, closing) is repeated or given up; the user hears nothing.
//
// An operation whose documentation says otherwise for some errors lists them. And always: it ends (a watchdog says
// where it hangs), bytes that arrive are those that were sent, descriptors are closed, nobody spins, and the fault has
// been delivered: a case whose fault never came has shown nothing, and fails.
#pragma once

#include "../runtime/each_runtime.hpp"
#include "fault_plan.hpp"

#include <functional>
#include <string>
#include <vector>

namespace skua::tests {

enum class Answer {
  as_if_nothing_happened,
  reports_the_error,
  reports_the_end,
  cannot_happen,  // the kernel does not do this to that call
};

/// At which of the calls the fault comes.
enum class Occurrence { first, second, later };

struct FaultCase;
class Bench;

struct OperationUnderTest {
  std::string name;                            // "tcp_read"
  Call call;                                   // that fails
  std::string reported_as;                     // the operation that an error names
  Task<> (*run)(Bench& bench);                 // see Bench
  std::vector<int> retried = {EINTR, EAGAIN};  // errors of which nobody hears
  std::vector<int> impossible = {};            // errors that the kernel does not return from this call
  bool transfers = false;                      // bytes, and perhaps not all
  Answer zero = Answer::cannot_happen;
  std::string subject = {};      // what an error names besides: a part of it
  std::uint64_t later_from = 3;  // `later` is a random one of these calls
  std::uint64_t later_to = 6;
  std::vector<Fault> faults = {};  // these, where the common ones make no sense
  std::optional<Backend> only_on = {};
  std::optional<ReactorMode> only_in = {};
};

struct FaultCase {
  const OperationUnderTest* operation;
  Fault fault;
  Occurrence occurrence;
  Setup setup;
};
std::string name_of(const FaultCase& fault_case);
void PrintTo(const FaultCase& fault_case, std::ostream* out);
Answer expected_answer(const FaultCase& fault_case);

/// Every fault that `operation` can meet, at each occurrence, on each set-up.
std::vector<FaultCase> cases_of(const OperationUnderTest& operation);

/// What an operation's run works with. It makes what it needs, calls start_faults(), does its operation eight times or
/// more, and tells what it saw; it ends with finish(), when everything has been done in spite of the fault.
class Bench {
 public:
  Bench(const FaultCase& fault_case, FaultPlan& plan) noexcept : case_(fault_case), plan_(plan) {}

  FaultPlan& plan() noexcept { return plan_; }
  /// That fails.
  Call call() const noexcept { return case_.operation->call; }
  /// From now on calls (on these descriptors alone) fail.
  void start_faults(std::vector<int> fds = {});
  void start_faults(int fd) { start_faults(std::vector<int>{fd}); }
  /// What the operation returned. True if it was a value.
  template <class T>
  bool note(const Result<T>& result) {
    if (!result) note_error(result.error());
    return result.has_value();
  }
  void note_error(const Error& error) { errors_.push_back(error); }
  void note_end() noexcept { ++ends_; }
  void note_lie(std::string what) { lies_.push_back(std::move(what)); }
  void expect(bool holds, const char* what) {
    if (!holds) note_lie(what);
  }
  void finish() noexcept { is_finished_ = true; }
  /// An operation that cannot go on after an error may stop.
  bool has_failed() const noexcept { return !errors_.empty(); }
  /// Something is wrong, and would go on for ever.
  bool gives_up() const noexcept { return errors_.size() + static_cast<std::size_t>(ends_) > 20; }

  /// Says everything that is not as it should be.
  void check() const;
  std::string describe() const;

 private:
  const FaultCase& case_;
  FaultPlan& plan_;
  std::vector<Error> errors_;
  int ends_ = 0;
  std::vector<std::string> lies_;
  bool is_finished_ = false;
};

/// Does `body`, a Task<bool>, until it has said eight times that it was done.
template <class Body>
Task<> eight_times(Bench& bench, Body& body) {
  for (int done = 0; done < 8 && !bench.gives_up();) {
    const bool is_done = co_await body();
    done += is_done ? 1 : 0;
  }
  if (!bench.gives_up()) bench.finish();
}

/// The same operation while the request by which io_uring watches its descriptor ends, fails, or is reported late.
OperationUnderTest watch_of(OperationUnderTest operation);

/// The same operation as a request to io_uring, which fails; and done by a thread of the blocking pool, whose system
/// call fails.
OperationUnderTest by_ring(OperationUnderTest operation);
OperationUnderTest by_threads(OperationUnderTest operation);

/// Runs the case in a runtime of its own.
void run_case(const FaultCase& fault_case);

// The tables
std::vector<OperationUnderTest> tcp_operations();
std::vector<OperationUnderTest> udp_operations();
std::vector<OperationUnderTest> unix_operations();
std::vector<OperationUnderTest> pipe_operations();
std::vector<OperationUnderTest> file_operations();
std::vector<OperationUnderTest> path_operations();
std::vector<OperationUnderTest> process_operations();
std::vector<OperationUnderTest> signal_operations();
std::vector<OperationUnderTest> driver_operations();

}  // namespace skua::tests
