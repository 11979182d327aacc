// Child processes.
#include "fault_case.hpp"

#include <chrono>
#include <csignal>
#include <string>
#include <vector>

namespace skua::tests {

namespace {

constexpr int rounds = 8;

Command says_hello() {
  Command command("/bin/sh");
  command.args("-c", "read line; echo hello $line");
  return command;
}

// Started, fed, read and waited for; what cannot be started leaves nothing behind.
Task<> runs_programs(Bench& bench) {
  bench.start_faults();
  for (int done = 0; done < rounds && !bench.gives_up();) {
    const Result<ProcessOutput> output = co_await says_hello().output("you\n");
    if (!bench.note(output)) continue;
    bench.expect(output->standard_output == "hello you\n" && output->status.success(),
                 "the program has written something else");
    ++done;
  }
  if (!bench.gives_up()) bench.finish();
}

Task<> waits_for_programs(Bench& bench) {
  bench.start_faults();
  for (int done = 0; done < rounds && !bench.gives_up(); ++done) {
    Command command("/bin/sh");
    command.args("-c", "exit 3");
    Child child = command.spawn().value();
    for (bool ended = false; !ended && !bench.gives_up();) {
      const Result<ExitStatus> status = co_await child.wait();
      if (!bench.note(status)) continue;
      bench.expect(status->code() == 3, "the status is another one");
      ended = true;
    }
  }
  if (!bench.gives_up()) bench.finish();
}

// The answer comes from the child, before it has become another program; the call is how it is buried.
Task<> fails_to_run_programs(Bench& bench) {
  bench.start_faults();
  auto body = [&]() -> Task<bool> {
    const Result<Child> child = Command("/no/such/program").spawn();
    bench.expect(!child && child.error() == std::errc::no_such_file_or_directory, "the error is another one");
    co_return true;
  };
  co_await eight_times(bench, body);
}

// /dev/null is opened for each.
Task<> runs_programs_without_input(Bench& bench) {
  bench.start_faults();
  auto body = [&]() -> Task<bool> {
    Command command("/bin/true");
    command.stdin_from(Stdio::null());
    Result<Child> child = command.spawn();
    if (!bench.note(child)) co_return false;
    const Result<ExitStatus> status = co_await child->wait();
    bench.expect(status.has_value() && status->success(), "the program has failed");
    co_return true;
  };
  co_await eight_times(bench, body);
}

Task<> kills_programs(Bench& bench) {
  bench.start_faults();
  for (int done = 0; done < rounds && !bench.gives_up(); ++done) {
    Command command("/bin/sleep");
    command.args("1000");
    Child child = command.spawn().value();
    while (!bench.note(child.send_signal(SIGTERM)) && !bench.gives_up()) {
    }
    const Result<ExitStatus> status = co_await child.wait();
    bench.expect(status.has_value() && status->signal() == SIGTERM, "the program has not died of the signal");
  }
  if (!bench.gives_up()) bench.finish();
}

std::vector<Fault> errors(std::initializer_list<int> numbers) {
  std::vector<Fault> faults;
  for (const int number : numbers) faults.emplace_back(Fault::Kind::error, number);
  return faults;
}

}  // namespace

std::vector<OperationUnderTest> process_operations() {
  return {
      {.name = "process_start",
       .call = Call::clone_child,
       .reported_as = "spawn",
       .run = &runs_programs,
       .retried = {},
       .subject = "/bin/sh",
       .faults = errors({EAGAIN, ENOMEM, EMFILE, ENFILE, EPERM})},
      {.name = "process_pipe",
       .call = Call::pipe2,
       .reported_as = "spawn",
       .run = &runs_programs,
       .retried = {},
       .subject = "/bin/sh",
       .later_to = 24,  // three for each
       .faults = errors({EMFILE, ENFILE, ENOMEM})},
      {.name = "process_stream",
       .call = Call::fcntl,
       .reported_as = "spawn",
       .run = &runs_programs,
       .retried = {},
       .subject = "/bin/sh",
       .later_to = 24,
       .faults = errors({EMFILE, EBADF, ENOMEM})},
      {.name = "process_stream_status",
       .call = Call::fstat,
       .reported_as = "spawn",
       .run = &runs_programs,
       .retried = {},
       .subject = "/bin/sh",
       .later_to = 24,
       .faults = errors({EBADF, ENOMEM})},
      {.name = "process_null",
       .call = Call::open,
       .reported_as = "spawn",
       .run = &runs_programs_without_input,
       .retried = {EINTR},
       .subject = "/bin/true",
       .faults = errors({EINTR, EMFILE, ENFILE, ENOENT})},
      {.name = "process_exec_error",
       .call = Call::wait_child,
       .reported_as = "",
       .run = &fails_to_run_programs,
       .faults = errors({EINTR})},
      // The pidfd is watched, and the pipes.
      {.name = "process_events",
       .call = Call::ring_completion,
       .reported_as = "",
       .run = &runs_programs,
       .faults = {Fault(Fault::Kind::end_of_multishot), Fault(Fault::Kind::last), Fault(Fault::Kind::lost),
                  Fault(Fault::Kind::delay, 0, 0, std::chrono::milliseconds(3))},
       .only_on = Backend::io_uring},
      {.name = "process_events",
       .call = Call::epoll_wait,
       .reported_as = "",
       .run = &runs_programs,
       .zero = Answer::as_if_nothing_happened,
       .faults = {Fault(Fault::Kind::error, EINTR), Fault(Fault::Kind::error, ENOMEM), Fault(Fault::Kind::zero),
                  Fault(Fault::Kind::delay, 0, 0, std::chrono::milliseconds(3))},
       .only_on = Backend::epoll},
      {.name = "process_wait",
       .call = Call::wait_child,
       .reported_as = "wait for child",
       .run = &waits_for_programs,
       .retried = {EINTR},
       .faults = errors({EINTR, ECHILD})},
      {.name = "process_signal",
       .call = Call::pidfd_send_signal,
       .reported_as = "send signal",
       .run = &kills_programs,
       .retried = {},
       .subject = "SIGTERM",
       .faults = errors({EPERM, EINVAL, ENOSYS})},
  };
}

}  // namespace skua::tests
