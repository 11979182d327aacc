// Child processes: how they start, what they inherit, how they end, and that nothing of them stays.
#include "each_runtime.hpp"
#include "environment.hpp"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

class processes : public EachRuntime {};
INSTANTIATE_TEST_SUITE_P(on, processes, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

Command shell(const std::string& script) { return Command("sh").arg("-c").arg(script); }

Task<ProcessOutput> output_of(Command command, std::string input = {}) {
  co_return (co_await command.output(std::move(input))).value();
}
Task<Error> error_of(Command command) { co_return (co_await command.status()).error(); }
Task<ExitStatus> status_of(Command command) { co_return (co_await command.status()).value(); }
Task<Result<ExitStatus>> wait_for(Child& child) { co_return co_await child.wait(); }

/// What /proc says of a process.
struct ProcessState {
  char state = ' ';  // 'Z': it has ended, and nobody has waited for it
  pid_t parent = 0;
};
ProcessState state_of(const std::string& process) {
  std::ifstream file("/proc/" + process + "/stat");
  std::string stat;
  std::getline(file, stat);
  ProcessState found;
  const std::size_t name_end = stat.rfind(')');
  if (name_end != std::string::npos) std::istringstream(stat.substr(name_end + 1)) >> found.state >> found.parent;
  return found;
}
bool is_zombie(pid_t process) { return state_of(std::to_string(process)).state == 'Z'; }

std::size_t zombies() {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const ProcessState found = state_of(name);
    if (found.parent == ::getpid() && found.state == 'Z') ++count;
  }
  return count;
}
bool exists(pid_t process) { return ::kill(process, 0) == 0; }

// --- How they end ---------------------------------------------------------------------------------------------------

TEST_P(processes, tell_their_exit_code) {
  for (const int code : {0, 1, 42, 255}) {
    const ExitStatus status = run(status_of(shell("exit " + std::to_string(code))));
    EXPECT_EQ(status.code(), code);
    EXPECT_EQ(status.signal(), std::nullopt);
    EXPECT_EQ(status.success(), code == 0);
    EXPECT_EQ(status.to_string(), "exit code " + std::to_string(code));
  }
}

TEST_P(processes, tell_the_signal_that_ended_them) {
  const ExitStatus status = run(status_of(shell("kill -TERM $$")));
  EXPECT_EQ(status.code(), std::nullopt);
  EXPECT_EQ(status.signal(), SIGTERM);
  EXPECT_FALSE(status.success());
  EXPECT_FALSE(status.core_dumped());
  EXPECT_EQ(status.to_string(), "killed by SIGTERM");
  EXPECT_EQ(ExitStatus(CLD_DUMPED, SIGSEGV).to_string(), "killed by SIGSEGV (core dumped)");
}

Task<void> wait_and_ask() {
  Child child = Command("cat").stdin_from(Stdio::piped()).spawn().value();
  EXPECT_TRUE(exists(child.id()));
  EXPECT_FALSE(child.try_wait().value().has_value());
  // Dropped while they wait: nothing is lost. The first one closes standard input, so the process ends meanwhile.
  for (int i = 0; i < 100; ++i) co_await select(child.wait(), yield_now());
  const ExitStatus status = (co_await child.wait()).value();
  EXPECT_TRUE(status.success());
  EXPECT_EQ((co_await child.wait()).value(), status);
  EXPECT_EQ(child.try_wait().value(), status);
  EXPECT_TRUE(child.start_kill().has_value()) << "there is nothing left to be killed";
  EXPECT_EQ(child.send_signal(SIGTERM).error(), std::errc::no_such_process);
}
TEST_P(processes, can_be_waited_for_again_and_again) { run(wait_and_ask()); }

Task<void> look_until_it_ends() {
  Child child = shell("exit 3").spawn().value();
  for (;;) {
    if (const auto status = child.try_wait().value()) {
      EXPECT_EQ(status->code(), 3);
      co_return;
    }
    co_await sleep(1ms);
  }
}
TEST_P(processes, can_be_looked_at_without_waiting) { run(look_until_it_ends()); }

Task<pid_t> kill_one() {
  Child child = Command("sleep").arg("100").spawn().value();
  EXPECT_EQ((co_await child.kill()).value().signal(), SIGKILL);
  Child other = Command("sleep").arg("100").spawn().value();
  EXPECT_TRUE(other.send_signal(SIGUSR1).has_value());
  EXPECT_EQ((co_await other.wait()).value().signal(), SIGUSR1);
  Child third = Command("sleep").arg("100").spawn().value();
  const pid_t runs_on = third.id();
  third = shell("exit 5").kill_on_drop(true).spawn().value();
  EXPECT_EQ((co_await third.wait()).value().code(), 5);
  co_return runs_on;
}
TEST_P(processes, can_be_killed) {
  const pid_t dropped = run(kill_one());
  EXPECT_EQ(::kill(dropped, SIGKILL), 0) << "it runs on";
  EXPECT_TRUE(eventually([&] { return !exists(dropped); })) << "and is reaped";
}

Task<void> stop_and_go_on() {
  Child child = Command("cat").stdin_from(Stdio::piped()).spawn().value();
  EXPECT_TRUE(child.send_signal(SIGSTOP).has_value());
  {
    const auto early = co_await timeout(50ms, child.wait());
    EXPECT_EQ(early.error(), std::errc::timed_out);
  }
  EXPECT_TRUE(child.send_signal(SIGCONT).has_value());
  EXPECT_TRUE((co_await child.wait()).value().success());
}
TEST_P(processes, that_stop_have_not_ended) { run(stop_and_go_on()); }

/// Attaches to the process, stops it, kills it, and is in no hurry to let its parent know.
pid_t start_tracer(pid_t process) {
  const pid_t tracer = ::fork();
  if (tracer != 0) return tracer;
  if (::ptrace(PTRACE_SEIZE, process, nullptr, nullptr) != 0) ::_exit(77);
  ::ptrace(PTRACE_INTERRUPT, process, nullptr, nullptr);
  ::waitpid(process, nullptr, 0);
  ::ptrace(PTRACE_CONT, process, nullptr, nullptr);
  ::kill(process, SIGKILL);
  ::poll(nullptr, 0, 50);
  ::waitpid(process, nullptr, 0);
  ::_exit(0);
}
TEST_P(processes, that_are_traced_end_once) {  // tokio#7144
  Child child = Command("sleep").arg("100").kill_on_drop(true).spawn().value();
  const pid_t tracer = start_tracer(child.id());
  auto waiting = runtime_->spawn(wait_for(child));
  int how = 0;
  ASSERT_EQ(::waitpid(tracer, &how, 0), tracer);
  if (WEXITSTATUS(how) == 77) {
    child.start_kill().value();
    await_within(waiting);
    GTEST_SKIP() << "ptrace is refused here";
  }
  auto status = await_within(waiting);
  ASSERT_TRUE(status);
  EXPECT_EQ(std::move(*status).value().value().signal(), SIGKILL);
}

Task<void> end_together(std::size_t count) {
  int gate[2];
  EXPECT_EQ(::pipe2(gate, O_CLOEXEC), 0);
  const Stdio waiting = Stdio::from(OwnedFd(gate[0]));
  std::vector<Child> children;
  for (std::size_t i = 0; i < count; ++i) {
    children.push_back(shell("read line; exit " + std::to_string(i % 256)).stdin_from(waiting).spawn().value());
  }
  ::close(gate[1]);  // all of them reach the end of their input
  for (std::size_t i = 0; i < count; ++i) EXPECT_EQ((co_await children[i].wait()).value().code(), i % 256);
}
TEST_P(processes, that_end_together_are_all_seen) {  // catatonit#4: SIGCHLD is one for many
  run(end_together(scaled<std::size_t>(200, 50)));
  EXPECT_EQ(zombies(), 0u);
}

// --- Errors of the start --------------------------------------------------------------------------------------------

TEST_P(processes, that_cannot_start_say_why) {
  const ScopedDirectory here;
  here.write("data", "no program");
  const auto message = [&](Command command) { return run(error_of(std::move(command))).message(); };
  EXPECT_EQ(message(Command("/no/such")), "spawn /no/such: No such file or directory");
  EXPECT_EQ(message(Command("no-such-program")), "spawn no-such-program: No such file or directory");
  EXPECT_EQ(message(Command("")), "spawn: No such file or directory");
  EXPECT_EQ(message(Command("./data")), "spawn ./data: Permission denied");
  EXPECT_EQ(message(Command("data").env("PATH", "/nowhere::")), "spawn data: Permission denied");
  EXPECT_EQ(message(Command("./data/below")), "spawn ./data/below: Not a directory");
  EXPECT_EQ(message(Command("true").current_dir("/no/dir")),
            "spawn true in directory /no/dir: No such file or directory");
  EXPECT_EQ(message(Command("true").current_dir("data")), "spawn true in directory data: Not a directory");
  EXPECT_EQ(message(Command("true").arg(std::string(4 << 20, 'x'))), "spawn true: Argument list too long");
  EXPECT_EQ(message(Command("true").process_group(1)), "spawn true (process group): Operation not permitted");
  ::chmod("data", 0755);
  EXPECT_EQ(message(Command("./data")), "spawn ./data: Exec format error");
  EXPECT_EQ(message(Command("true").arg(std::string("a\0b", 3))),
            "spawn true (an argument contains a zero byte): Invalid argument");
  EXPECT_EQ(message(Command("true").env("A=B", "c")),
            "spawn true (a variable's name is empty, or contains '=' or a zero byte): Invalid argument");
  EXPECT_EQ(zombies(), 0u);
}

TEST_P(processes, that_find_no_descriptors_leave_none) {
  const std::size_t before = open_descriptors();
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const Command command = shell("exit 1").stdin_from(Stdio::piped()).stdout_to(Stdio::piped());
  int highest = ::dup(0);
  ::close(highest);
  std::size_t refused = 0;
  for (rlim_t room = 0; room < 8; ++room) {
    rlimit small = limit;
    small.rlim_cur = static_cast<rlim_t>(highest) + room;
    ::setrlimit(RLIMIT_NOFILE, &small);
    Result<Child> child = command.spawn();
    ::setrlimit(RLIMIT_NOFILE, &limit);
    if (child) {
      EXPECT_EQ(run(wait_for(*child)).value().code(), 1);
    } else {
      EXPECT_EQ(child.error(), std::errc::too_many_files_open) << child.error().message();
      ++refused;
    }
  }
  EXPECT_GE(refused, 4u) << "two pipes and a pidfd do not fit into less than five";
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= before; })) << open_descriptors() << ", not " << before;
}

/// As a kernel before 5.2, or a sandbox: no pidfd with a new process.
bool refuse_pidfds() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1000 /* CLONE_PIDFD */, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{sizeof program / sizeof *program, program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}
TEST(process, without_pidfds_is_an_error_and_not_a_child_that_nobody_can_wait_for) {
  const pid_t sandbox = ::fork();
  if (sandbox == 0) {
    if (!refuse_pidfds()) ::_exit(77);
    const Result<Child> child = Command("true").spawn();
    const bool right = !child && child.error().message() == "spawn true (clone): Invalid argument";
    ::_exit(right && ::waitpid(-1, nullptr, 0) == -1 && errno == ECHILD ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(sandbox, &status, 0), sandbox);
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "seccomp is refused here";
  EXPECT_EQ(status, 0);
}

// --- What they are given --------------------------------------------------------------------------------------------

TEST_P(processes, get_their_arguments_as_they_are) {
  const Command print = Command("printf").args("[%s]", "a b", "$HOME", "", "*", "line\nbreak", "\"'");
  EXPECT_EQ(run(output_of(print)).standard_output, "[a b][$HOME][][*][line\nbreak][\"']");
  EXPECT_EQ(run(output_of(shell("echo $0").arg("given"))).standard_output, "given\n");
  const std::vector<const char*> several{"-n", "x", "y"};
  EXPECT_EQ(run(output_of(Command("/bin/echo").args(several))).standard_output, "x y");
  EXPECT_EQ(run(output_of(Command("sh").arg0("called-so").args("-c", "tr '\\0' ' ' < /proc/$$/cmdline")))
                .standard_output.substr(0, 10),
            "called-so ");
}

TEST_P(processes, get_the_environment_with_the_changes) {
  const ScopedVariable kept("SKUA_TEST_KEPT", "kept");
  const ScopedVariable removed("SKUA_TEST_REMOVED", "removed");
  const auto variables = [&](Command command) { return run(output_of(std::move(command))).standard_output; };
  const std::string some = variables(
      Command("env").env_remove("SKUA_TEST_REMOVED").env("SKUA_TEST_NEW", "a=b").env("SKUA_TEST_KEPT", "changed"));
  EXPECT_NE(some.find("\nSKUA_TEST_NEW=a=b\n"), std::string::npos) << some;
  EXPECT_NE(some.find("\nSKUA_TEST_KEPT=changed\n"), std::string::npos) << some;
  EXPECT_EQ(some.find("SKUA_TEST_KEPT=kept"), std::string::npos) << some;
  EXPECT_EQ(some.find("SKUA_TEST_REMOVED"), std::string::npos) << some;
  EXPECT_EQ(variables(Command("env").env("GONE", "1").env_clear().env("A", "1").env("B", "")), "A=1\nB=\n");
}

TEST_P(processes, are_found_in_their_own_path_and_directory) {
  const ScopedDirectory here;
  for (const char* const folder : {"first", "second"}) {
    const auto program = here.write(std::string(folder) + "/program", std::string("#!/bin/sh\necho ") + folder + "\n");
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  }
  here.write("locked/program", "no program");
  const auto said = [&](Command command) { return run(output_of(std::move(command))).standard_output; };
  const std::string path = here.path().string();
  EXPECT_EQ(said(Command("program").env("PATH", path + "/none:" + path + "/second:" + path + "/first")), "second\n");
  EXPECT_EQ(said(Command("program").env("PATH", path + "/locked:" + path + "/first")), "first\n");
  EXPECT_EQ(said(Command("./program").current_dir("second")), "second\n");
  EXPECT_EQ(said(Command("program").env("PATH", "").current_dir("first")), "first\n");
  EXPECT_EQ(said(Command("pwd").current_dir(path + "/first")), path + "/first\n");
}

TEST_P(processes, get_signals_as_usual) {
  sigset_t some, before;
  ::sigemptyset(&some);
  for (const int number : {SIGTERM, SIGCHLD, SIGUSR1}) ::sigaddset(&some, number);
  ::pthread_sigmask(SIG_BLOCK, &some, &before);
  struct sigaction ignore{}, pipe_before{}, user_before{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, &pipe_before);
  ::sigaction(SIGUSR2, &ignore, &user_before);
  const Command ask = Command("grep").args("-E", "^Sig(Blk|Ign)", "/proc/self/status");
  const std::string usual = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n";
  EXPECT_EQ(run(output_of(ask)).standard_output, usual) << "started by a worker";
  Result<ProcessOutput> here = runtime_->block_on(ask.output());
  EXPECT_EQ(here.value().standard_output, usual) << "started by the program's own thread";
  sigset_t after;
  ::pthread_sigmask(SIG_SETMASK, &before, &after);
  EXPECT_EQ(::sigismember(&after, SIGTERM), 1) << "our own mask is as it was";
  EXPECT_EQ(::sigismember(&after, SIGINT), 0);
  ::sigaction(SIGPIPE, &pipe_before, nullptr);
  ::sigaction(SIGUSR2, &user_before, nullptr);
}

TEST_P(processes, get_no_descriptors_but_their_own) {
  const int left_open = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC, as in other people's code
  const std::string listed = run(output_of(shell("ls /proc/self/fd"))).standard_output;
  EXPECT_EQ(listed, "0\n1\n2\n3\n") << "3 is the directory that is listed";
  const Command inheriting = shell("ls /proc/self/fd | wc -l >/dev/null; exit $(ls /proc/self/fd | wc -l)");
  EXPECT_EQ(run(status_of(inheriting)).code(), 4);
  ::close(left_open);
}

TEST_P(processes, get_the_descriptors_that_are_passed) {
  const ScopedDirectory here;
  here.write("one", "1");
  here.write("two", "2");
  // Numbers that are in use here, so that each move could overwrite what another one needs.
  OwnedFd one(::open("one", O_RDONLY | O_CLOEXEC));
  OwnedFd two(::open("two", O_RDONLY | O_CLOEXEC));
  const int at_one = one.get();
  const int at_two = two.get();
  const auto content = [](int number) { return "/proc/self/fd/" + std::to_string(number); };
  const Command crossed = Command("cat")
                              .args(content(at_two), content(at_one), content(200))
                              .pass_descriptor(std::move(one), at_two)
                              .pass_descriptor(std::move(two), at_one)
                              .pass_descriptor(OwnedFd(::open("one", O_RDONLY | O_CLOEXEC)), 200);
  for (int again = 0; again < 2; ++again) EXPECT_EQ(run(output_of(crossed)).standard_output, "121");
}

// In a process of its own, for descriptor 0 belongs to all threads.
int code_of_a_child_with_closed_streams() {
  ::close(0);
  ::close(1);
  Result<Child> child = shell("read line; exit $line").stdin_from(Stdio::piped()).stderr_to(Stdio::null()).spawn();
  if (!child) return 1;
  const std::optional<PipeWriter> input = child->take_stdin();
  if (::write(input->native_handle(), "42\n", 3) != 3) return 2;
  for (;;) {
    const auto status = child->try_wait();
    if (!status) return 3;
    if (*status) return (*status)->code().value_or(4);
    ::poll(nullptr, 0, 1);
  }
}
TEST(process, starts_when_the_standard_streams_are_closed) {
  const pid_t starter = ::fork();
  if (starter == 0) ::_exit(code_of_a_child_with_closed_streams());
  int status = 0;
  ASSERT_EQ(::waitpid(starter, &status, 0), starter);
  EXPECT_EQ(WEXITSTATUS(status), 42);
}

TEST_P(processes, have_their_group_session_and_umask) {
  const auto stat = [&](Command command) {
    std::istringstream fields(run(output_of(std::move(command).args("/proc/self/stat"))).standard_output);
    std::string name, state;
    pid_t id = 0, parent = 0, group = 0, session = 0;
    fields >> id >> name >> state >> parent >> group >> session;
    return std::array{id, parent, group, session};
  };
  const auto plain = stat(Command("cat"));
  EXPECT_EQ(plain[1], ::getpid());
  EXPECT_EQ(plain[2], ::getpgrp());
  EXPECT_EQ(plain[3], ::getsid(0));
  const auto grouped = stat(Command("cat").process_group(0));
  EXPECT_EQ(grouped[2], grouped[0]);
  EXPECT_EQ(grouped[3], ::getsid(0));
  const auto apart = stat(Command("cat").new_session());
  EXPECT_EQ(apart[3], apart[0]);
  EXPECT_EQ(run(output_of(shell("umask").umask(027))).standard_output, "0027\n");
}

// --- What goes in and comes out -------------------------------------------------------------------------------------

TEST_P(processes, give_both_outputs_and_the_status) {
  const ProcessOutput output = run(output_of(shell("echo out; echo err >&2; exit 7")));
  EXPECT_EQ(output.standard_output, "out\n");
  EXPECT_EQ(output.standard_error, "err\n");
  EXPECT_EQ(output.status.code(), 7);
}

std::string pattern(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 2654435761u) >> 13);
  return text;
}

TEST_P(processes, take_and_give_more_than_a_pipe_holds) {
  const std::string input = pattern(4 << 20);
  const ProcessOutput output = run(output_of(shell("tee /dev/stderr"), input));
  EXPECT_TRUE(output.standard_output == input);
  EXPECT_TRUE(output.standard_error == input);
  EXPECT_TRUE(output.status.success());
}

TEST_P(processes, need_not_read_their_input) {
  const ProcessOutput output = run(output_of(shell("echo done"), pattern(1 << 20)));
  EXPECT_EQ(output.standard_output, "done\n");
  EXPECT_TRUE(output.status.success());
}

TEST_P(processes, have_empty_input_where_none_is_given) {
  EXPECT_EQ(run(output_of(Command("cat"))).standard_output, "");
}

Task<Result<ProcessOutput>> limited(std::string script, std::size_t limit) {
  Command command = shell(script).output_limit(limit);
  co_return co_await command.output();
}
TEST_P(processes, that_write_too_much_are_an_error) {
  EXPECT_EQ(run(limited("printf 12345", 5)).value().standard_output, "12345");
  EXPECT_EQ(run(limited("printf 123456", 5)).error().message(),
            "collect the output of sh, read_to_end more than 5 bytes: Value too large for defined data type");
  EXPECT_EQ(run(limited("printf 123456 >&2; sleep 100", 5)).error(), std::errc::value_too_large);
  EXPECT_EQ(run(limited("yes", 100'000)).error(), std::errc::value_too_large) << "and it was killed";
  EXPECT_TRUE(eventually([] { return zombies() == 0; }));
}

Task<void> pipeline() {
  Child echo = Command("printf").args("%s\\n", "b", "a").stdout_to(Stdio::piped()).spawn().value();
  Result<OwnedFd> between = std::move(*echo.take_stdout()).into_blocking_fd();
  Child sort = Command("sort").stdin_from(Stdio::from(*std::move(between))).stdout_to(Stdio::piped()).spawn().value();
  ProcessOutput sorted = (co_await std::move(sort).wait_with_output()).value();
  EXPECT_EQ(sorted.standard_output, "a\nb\n");
  EXPECT_TRUE((co_await echo.wait()).value().success());
}
TEST_P(processes, can_be_connected) { run(pipeline()); }

TEST_P(processes, write_to_files_and_to_nobody) {
  const ScopedDirectory here;
  const int file = ::open("written", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  const ProcessOutput output =
      run(output_of(shell("echo out; echo err >&2").stdout_to(Stdio::from(OwnedFd(file))).stderr_to(Stdio::null())));
  EXPECT_EQ(output.standard_output, "");
  EXPECT_EQ(output.standard_error, "");
  std::ifstream written("written");
  EXPECT_EQ(std::string((std::istreambuf_iterator<char>(written)), {}), "out\n");
}

Task<void> fill_the_pipe() {
  Child child = Command("yes").stdout_to(Stdio::piped()).spawn().value();
  {
    const auto early = co_await timeout(50ms, child.wait());
    EXPECT_EQ(early.error(), std::errc::timed_out) << "it sleeps at the full pipe";
  }
  child.take_stdout().reset();
  EXPECT_EQ((co_await child.wait()).value().signal(), SIGPIPE);
}
TEST_P(processes, that_nobody_reads_from_wait) { run(fill_the_pipe()); }

// --- Dropped --------------------------------------------------------------------------------------------------------

Task<pid_t> start_and_drop(Command command) {
  Child child = command.spawn().value();
  co_return child.id();
}

TEST_P(processes, run_on_when_dropped_and_leave_no_zombie) {
  const ScopedDirectory here;
  const pid_t id = run(start_and_drop(shell("sleep 0.05; echo done > proof")));
  EXPECT_TRUE(eventually([] { return std::filesystem::exists("proof"); }));
  EXPECT_TRUE(eventually([&] { return !exists(id); })) << "nobody takes its status";
}

TEST_P(processes, are_killed_when_dropped_if_so_asked) {
  const pid_t id = run(start_and_drop(Command("sleep").arg("100").kill_on_drop(true)));
  EXPECT_TRUE(eventually([&] { return !exists(id); }));
}

Task<pid_t> id_in_file(const char* file) {
  for (;;) {
    pid_t id = 0;
    if (std::ifstream(file) >> id) co_return id;
    co_await sleep(1ms);
  }
}
Task<pid_t> drop_the_output_of(Command command) {
  auto first = co_await select(command.output(), id_in_file("id"));
  co_return std::get<1>(first);
}
TEST_P(processes, are_killed_with_the_future_of_their_output) {
  const ScopedDirectory here;
  // exec: what is killed is the process, and not only the shell that started it.
  const pid_t id = run(drop_the_output_of(shell("echo $$ > id; exec sleep 100")));
  EXPECT_TRUE(eventually([&] { return !exists(id); }));
}

Task<void> soak(std::size_t children) {
  for (std::size_t i = 0; i < children; ++i) {
    Command command = shell(i % 2 == 0 ? "exit 0" : "sleep 0.01");
    if (i % 3 == 0) command.stdout_to(Stdio::piped()).stdin_from(Stdio::piped());
    const Child child = command.spawn().value();
  }
  co_return;
}
TEST_P(processes, soak_leaves_no_zombies_descriptors_or_threads) {  // dotnet#114847
  const std::size_t descriptors = open_descriptors();
  const std::size_t threads = running_threads();
  run(soak(scaled<std::size_t>(300, 60)));
  EXPECT_TRUE(eventually([] { return zombies() == 0; })) << zombies();
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= descriptors; })) << open_descriptors();
  EXPECT_EQ(running_threads(), threads);
}

TEST_P(processes, that_outlive_the_runtime_are_reaped_with_the_next_one) {
  const pid_t id = run(start_and_drop(Command("sleep").arg("100")));
  runtime_.reset();
  EXPECT_TRUE(exists(id));
  ::kill(id, SIGKILL);
  ASSERT_TRUE(eventually([&] { return is_zombie(id); }));
  Child next = Command("true").spawn().value();
  EXPECT_FALSE(exists(id));
  EXPECT_TRUE(eventually([&] { return next.try_wait().value().has_value(); }));
}

TEST(process, dropped_outside_of_a_runtime_is_reaped_with_the_next_one) {
  const pid_t id = Command("sleep").arg("100").kill_on_drop(true).spawn().value().id();
  ASSERT_TRUE(eventually([&] { return is_zombie(id); }));
  Child next = Command("true").spawn().value();
  EXPECT_FALSE(exists(id));
  EXPECT_TRUE(eventually([&] { return next.try_wait().value().has_value(); }));
}

// --- Beside other code ----------------------------------------------------------------------------------------------

TEST_P(processes, of_other_code_keep_their_status) {  // boxlite#523
  const pid_t foreign = ::fork();
  if (foreign == 0) ::_exit(42);
  ASSERT_TRUE(eventually([&] { return is_zombie(foreign); }));
  run(soak(20));
  EXPECT_EQ(run(status_of(shell("exit 1"))).code(), 1);
  int status = 0;
  ASSERT_EQ(::waitpid(foreign, &status, 0), foreign);
  EXPECT_EQ(WEXITSTATUS(status), 42);
}

TEST_P(processes, whose_status_is_gone_are_an_error) {
  struct sigaction ignore{}, before{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGCHLD, &ignore, &before);
  const Error error = run(error_of(Command("true")));
  ::sigaction(SIGCHLD, &before, nullptr);
  EXPECT_EQ(error, std::errc::no_child_process);
  EXPECT_NE(error.message().find("SIGCHLD is ignored"), std::string::npos) << error.message();
}

// --- All at once ----------------------------------------------------------------------------------------------------

Task<void> random_life(std::uint32_t seed, int rounds) {
  std::minstd_rand random(seed);
  for (int i = 0; i < rounds; ++i) {
    Command command = random() % 2 == 0 ? Command("cat") : shell("exit 9");
    command.stdin_from(Stdio::piped()).kill_on_drop(random() % 2 == 0);
    if (random() % 2 == 0) command.stdout_to(Stdio::piped());
    Child child = command.spawn().value();
    switch (random() % 6) {
      case 0: break;
      case 1: (co_await child.wait()).value(); break;
      case 2: (co_await child.kill()).value(); break;
      case 3: co_await select(child.wait(), yield_now()); break;
      case 4: child.try_wait().value(); break;
      case 5: {
        const ProcessOutput output = (co_await std::move(child).wait_with_output("text")).value();
        EXPECT_TRUE(output.standard_output.empty() || output.standard_output == "text");
        break;
      }
    }
  }
}
TEST_P(processes, start_wait_kill_and_drop_at_random) {
  const std::uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  const std::size_t descriptors = open_descriptors();
  std::vector<JoinHandle<void>> tasks;
  for (std::uint32_t i = 0; i < 4; ++i) tasks.push_back(runtime_->spawn(random_life(seed + i, scaled(60, 25))));
  for (auto& task : tasks) {
    auto ended = await_within(task, 60s);
    ASSERT_TRUE(ended);
    std::move(*ended).value();
  }
  EXPECT_TRUE(eventually([] { return zombies() == 0; })) << zombies();
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= descriptors; })) << open_descriptors();
}

}  // namespace

}  // namespace skua::tests
