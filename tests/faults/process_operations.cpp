// Child processes.
#include "fault_case.hpp"

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
      {.name = "process_wait",
       .call = Call::wait_child,
       .reported_as = "wait for child",
       .run = &waits_for_programs,
       .retried = {EINTR},
       .faults = errors({EINTR})},
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
