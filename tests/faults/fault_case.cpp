#include "fault_case.hpp"

#include "../support/watchdog.hpp"
#include "late_completions.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <ranges>
#include <stdexcept>

namespace skua::tests {

namespace {

constexpr int common_errors[] = {EINTR,      EAGAIN, ECANCELED, ENOBUFS,   ENOMEM, EIO,   EPIPE,
                                 ECONNRESET, EBADF,  EINVAL,    ETIMEDOUT, EMFILE, ENFILE};
constexpr Duration a_delay = std::chrono::milliseconds(3);
// For all that a run does, and more than once what it needs; a loop that spins makes it in some milliseconds.
constexpr std::uint64_t most_calls = 4000;

bool contains(const std::vector<int>& errors, int error) { return std::ranges::find(errors, error) != errors.end(); }

std::vector<Fault> common_faults() {
  std::vector<Fault> faults;
  for (const int error : common_errors) faults.emplace_back(Fault::Kind::error, error);
  faults.emplace_back(Fault::Kind::zero);
  faults.emplace_back(Fault::Kind::short_count, 0, 1u);
  faults.emplace_back(Fault::Kind::all_but, 0, 1u);
  faults.emplace_back(Fault::Kind::delay, 0, 0u, a_delay);
  return faults;
}

std::string name_of(const Fault& fault) {
  switch (fault.kind) {
    case Fault::Kind::none: return "nothing";
    case Fault::Kind::error: return ::strerrorname_np(fault.error);
    case Fault::Kind::short_count: return "only_" + std::to_string(fault.count);
    case Fault::Kind::all_but: return "all_but_" + std::to_string(fault.count);
    case Fault::Kind::zero: return "zero";
    case Fault::Kind::delay: return "delay";
    case Fault::Kind::end_of_multishot: return "end_of_multishot";
    case Fault::Kind::last: return "last";
    case Fault::Kind::lost: return "lost";
  }
  return "?";
}

std::uint64_t seed() {
  const char* const text = std::getenv("SKUA_TEST_SEED");
  return text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
}

// The same for each run with the same seed, another for each case.
std::uint64_t later_call(const FaultCase& fault_case) {
  const OperationUnderTest& operation = *fault_case.operation;
  seam::Random random(seed() ^ std::hash<std::string>()(name_of(fault_case)));
  const auto choices = static_cast<std::uint32_t>(operation.later_to - operation.later_from + 1);
  return operation.later_from + random.below(choices);
}

std::uint64_t faulty_call(const FaultCase& fault_case) {
  switch (fault_case.occurrence) {
    case Occurrence::first: return 1;
    case Occurrence::second: return 2;
    case Occurrence::later: return later_call(fault_case);
  }
  return 1;
}

// A call that has lied about readiness needs news of it, and a late completion is such news.
bool needs_late_completions(const FaultCase& fault_case) {
  if (fault_case.setup.backend != Backend::io_uring) return false;
  const Fault& fault = fault_case.fault;
  const bool delays = fault.kind == Fault::Kind::delay && fault_case.operation->call == Call::ring_completion;
  const bool lies = fault.kind == Fault::Kind::short_count || fault.kind == Fault::Kind::all_but ||
                    (fault.kind == Fault::Kind::error && fault.error == EAGAIN);
  return delays || lies;
}

const char* name_of(Answer answer) {
  switch (answer) {
    case Answer::as_if_nothing_happened: return "as if nothing had happened";
    case Answer::reports_the_error: return "reports the error";
    case Answer::reports_the_end: return "reports the end of the stream";
    case Answer::cannot_happen: return "cannot happen";
  }
  return "?";
}

}  // namespace

std::string name_of(const FaultCase& fault_case) {
  constexpr const char* occurrences[] = {"first", "second", "later"};
  return fault_case.operation->name + "_" + name_of(fault_case.fault) + "_" +
         occurrences[static_cast<int>(fault_case.occurrence)] + "_" + name_of(fault_case.setup);
}

void PrintTo(const FaultCase& fault_case, std::ostream* out) { *out << name_of(fault_case); }

Answer expected_answer(const FaultCase& fault_case) {
  const OperationUnderTest& operation = *fault_case.operation;
  switch (fault_case.fault.kind) {
    case Fault::Kind::error:
      if (contains(operation.impossible, fault_case.fault.error)) return Answer::cannot_happen;
      if (contains(operation.retried, fault_case.fault.error)) return Answer::as_if_nothing_happened;
      return operation.reported_as.empty() ? Answer::as_if_nothing_happened : Answer::reports_the_error;
    case Fault::Kind::short_count:
    case Fault::Kind::all_but: return operation.transfers ? Answer::as_if_nothing_happened : Answer::cannot_happen;
    case Fault::Kind::zero: return operation.zero;
    default: return Answer::as_if_nothing_happened;
  }
}

std::vector<FaultCase> cases_of(const OperationUnderTest& operation) {
  std::vector<FaultCase> cases;
  const std::vector<Fault> faults = operation.faults.empty() ? common_faults() : operation.faults;
  for (const Setup& setup : every_setup) {
    if (operation.only_on && setup.backend != *operation.only_on) continue;
    if (operation.only_in && setup.mode != *operation.only_in) continue;
    for (const Fault& fault : faults) {
      for (const Occurrence occurrence : {Occurrence::first, Occurrence::second, Occurrence::later}) {
        const FaultCase one{&operation, fault, occurrence, setup};
        if (expected_answer(one) != Answer::cannot_happen) cases.push_back(one);
      }
    }
  }
  return cases;
}

OperationUnderTest watch_of(OperationUnderTest operation) {
  operation.name += "_watch";
  operation.call = Call::ring_completion;
  operation.reported_as = "watch the descriptor";
  operation.retried = {ECANCELED};  // whoever submitted it has ended; it was not asked for
  operation.impossible = {};
  operation.subject = {};
  operation.faults = {Fault(Fault::Kind::end_of_multishot),
                      Fault(Fault::Kind::last),
                      Fault(Fault::Kind::lost),
                      Fault(Fault::Kind::delay, 0, 0, a_delay),
                      Fault(Fault::Kind::error, ECANCELED),
                      Fault(Fault::Kind::error, ENOMEM),
                      Fault(Fault::Kind::error, EIO)};
  operation.only_on = Backend::io_uring;
  return operation;
}

OperationUnderTest by_ring(OperationUnderTest operation) {
  operation.name = "ring_" + operation.name;
  operation.call = Call::ring_request;
  // Whoever submitted it has ended, or was interrupted: nobody asked for it, and it is submitted again.
  operation.retried = {EINTR, ECANCELED};
  operation.impossible = {EAGAIN};
  operation.faults.clear();
  for (const int error : {EINTR, ECANCELED, ENOBUFS, ENOMEM, EIO, ENOSPC, EBADF, EINVAL, EMFILE, ENFILE}) {
    operation.faults.emplace_back(Fault::Kind::error, error);
  }
  if (operation.transfers) {
    operation.faults.emplace_back(Fault::Kind::short_count, 0, 1u);
    operation.faults.emplace_back(Fault::Kind::all_but, 0, 1u);
  }
  operation.only_on = Backend::io_uring;
  return operation;
}
OperationUnderTest by_threads(OperationUnderTest operation) {
  operation.retried = {EINTR};
  operation.impossible = {EAGAIN};
  operation.only_on = Backend::epoll;
  return operation;
}

void Bench::start_faults(std::vector<int> fds) {
  plan_.on(case_.operation->call).fds(std::move(fds)).nth(faulty_call(case_)).suffers(case_.fault);
}

std::string Bench::describe() const {
  std::string text = name_of(case_) + ", which should be answered: " + name_of(expected_answer(case_)) + "\n";
  for (const Error& error : errors_) text += "  reported: " + error.message() + "\n";
  if (ends_ != 0) text += "  reported: the end of the stream, " + std::to_string(ends_) + " times\n";
  for (const std::string& lie : lies_) text += "  wrong: " + lie + "\n";
  return text + plan_.describe();
}

void Bench::check() const {
  EXPECT_EQ(plan_.delivered(case_.operation->call), 1) << "the fault was not delivered; this has shown nothing";
  EXPECT_TRUE(is_finished_) << "not everything was done";
  EXPECT_TRUE(lies_.empty()) << lies_.front();
  const Answer answer = expected_answer(case_);
  EXPECT_EQ(ends_, answer == Answer::reports_the_end ? 1 : 0);
  EXPECT_EQ(errors_.size(), answer == Answer::reports_the_error ? 1u : 0u);
  if (answer == Answer::reports_the_error && !errors_.empty()) {
    const Error& error = errors_.front();
    EXPECT_EQ(error.code().value(), case_.fault.error);
    EXPECT_EQ(error.code().default_error_condition().category(), std::generic_category());
    EXPECT_EQ(error.operation(), case_.operation->reported_as);
    EXPECT_NE(error.message().find(case_.operation->subject), std::string::npos) << error.message();
  }
  EXPECT_LT(plan_.calls(), most_calls) << "somebody spins";
}

void run_case(const FaultCase& fault_case) {
  // Asked in any case: has descriptors of its own from then on.
  if (!LateCompletions::are_possible() && needs_late_completions(fault_case)) {
    GTEST_SKIP() << "needs Linux 6.3";
  }
  const std::size_t descriptors_before = open_descriptors();
  {
    FaultPlan plan;
    Bench bench(fault_case, plan);
    const Watchdog dog(watchdog, [&] { return bench.describe(); });
    {
      auto runtime = build(fault_case.setup);
      if (!runtime) GTEST_SKIP() << name_of(fault_case.setup) << " is refused here: " << runtime.error().message();
      auto handle = runtime->spawn(fault_case.operation->run(bench));
      auto result = await_within(handle, 2 * watchdog);
      if (!result) throw std::runtime_error("the watchdog sleeps");
      std::move(*result).value();
    }
    bench.check();
    if (testing::Test::HasFailure()) ADD_FAILURE() << bench.describe();
  }
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= descriptors_before; }))
      << open_descriptors() << " descriptors instead of " << descriptors_before;
}

}  // namespace skua::tests
