// The standard streams of real processes, as pipes, files, terminals, sockets, devices, and closed.
#include <skua/io/owned_fd.hpp>

#include "../support/probe.hpp"
#include "environment.hpp"
#include "processes.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>

#include <array>
#include <string>
#include <thread>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

class standard_streams : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const auto runtime = Builder().build();
    if (!runtime) GTEST_SKIP() << GetParam() << " is refused here: " << runtime.error().message();
  }

  ScopedVariable backend_{"SKUA_BACKEND", GetParam()};
  ScopedVariable program_{"PROGRAM", SKUA_STANDARD_STREAMS_PROGRAM};
  ScopedDirectory directory_;
};
INSTANTIATE_TEST_SUITE_P(on, standard_streams, testing::Values("io_uring", "epoll"),
                         [](const auto& parameter) { return std::string(parameter.param); });

struct Pipe {
  Pipe() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::pipe2(fds.data(), O_CLOEXEC), 0);
    out = OwnedFd(fds[0]);
    in = OwnedFd(fds[1]);
  }
  OwnedFd out;
  OwnedFd in;
};

/// Reads to the end, or to `until`; gives up when nothing comes for long.
std::string read_text(int fd, std::string_view until = {}) {
  std::string text;
  std::array<char, 65536> buffer;
  pollfd entry{fd, POLLIN, 0};
  while (::poll(&entry, 1, static_cast<int>(std::chrono::milliseconds(watchdog).count())) == 1) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(n));
    if (!until.empty() && text.find(until) != std::string::npos) return text;
  }
  ADD_FAILURE() << "nothing comes after: " << text.substr(0, 200);
  return text;
}

struct Outcome {
  std::string output;
  int status;
};
/// Runs a line of shell, in which $PROGRAM is ours; its standard output is a pipe.
Outcome shell(const std::string& line) {
  Pipe pipe;
  Child child({"bash", "-c", "set -o pipefail; " + line}, -1, pipe.in.get());
  pipe.in = OwnedFd();
  std::string output = read_text(pipe.out.get());
  return {std::move(output), child.exit_status()};
}

std::string numbered_lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

// --- Pipes and files ------------------------------------------------------------------------------------------------

TEST_P(standard_streams, pipe_to_pipe) {
  const Outcome outcome = shell("echo hi | $PROGRAM copy | cat");
  EXPECT_EQ(outcome.output, "hi\n");
  EXPECT_EQ(outcome.status, 0);
}

TEST_P(standard_streams, file_to_pipe_and_pipe_to_file) {
  const std::string text = numbered_lines(30'000);
  directory_.write("in", text);
  const Outcome outcome = shell("$PROGRAM copy < in | cat && cat in | $PROGRAM copy > out && cat out");
  EXPECT_EQ(outcome.status, 0);
  EXPECT_TRUE(outcome.output == text + text);
}

TEST_P(standard_streams, a_file_is_appended_to_and_read_from_where_it_stands) {
  directory_.write("in", "head\nbody\n");
  const Outcome outcome = shell("{ read -r line; $PROGRAM copy; } < in > out; echo end >> out; cat out");
  EXPECT_EQ(outcome.output, "body\nend\n");
  EXPECT_EQ(shell("echo first > log; { $PROGRAM copy < in; } >> log; cat log").output, "first\nhead\nbody\n");
}

TEST_P(standard_streams, dropped_reads_lose_no_bytes) {
  const std::string text = numbered_lines(scaled(20'000, 2'000));
  directory_.write("in", text);
  EXPECT_TRUE(shell("$PROGRAM impatient < in").output == text) << "of a file, read by the pool";
  EXPECT_TRUE(shell("cat in | $PROGRAM impatient").output == text) << "of a pipe";
}

TEST_P(standard_streams, two_tasks_read_each_byte_once) {
  directory_.write("in", std::string(100'000, 'x'));
  EXPECT_EQ(shell("$PROGRAM two < in").output, "100000\n");
  EXPECT_EQ(shell("cat in | $PROGRAM two").output, "100000\n");
}

TEST_P(standard_streams, lines_of_several_tasks_do_not_mix) {
  constexpr std::size_t size = 20'000;  // more than a pipe takes at once
  constexpr int lines = 20;
  for (const char* command : {"$PROGRAM lines 20 20000 | cat", "$PROGRAM lines 20 20000 > out; cat out"}) {
    const std::string output = shell(command).output;
    ASSERT_EQ(output.size(), 4 * lines * (size + 1));
    for (std::size_t at = 0; at < output.size(); at += size + 1) {
      EXPECT_EQ(output.find_first_not_of(output[at], at), at + size);
      EXPECT_EQ(output[at + size], '\n');
    }
  }
}

TEST_P(standard_streams, a_reader_who_has_enough_is_an_error_and_no_signal) {
  const Outcome outcome =
      shell("{ $PROGRAM for_ever 2>error; echo status $? >&2; } 2>status | head -1; cat status error");
  EXPECT_EQ(outcome.output, "again and again\nstatus 3\nwrite standard output: Broken pipe\n");
}

TEST_P(standard_streams, a_pipe_that_nobody_reads_from_the_start) {
  Pipe pipe;
  pipe.out = OwnedFd();
  Child child({SKUA_STANDARD_STREAMS_PROGRAM, "for_ever"}, -1, pipe.in.get(),
              ::open("/dev/null", O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(child.exit_status(), 3);
}

TEST_P(standard_streams, devices) {
  EXPECT_EQ(shell("$PROGRAM lines 10 100 > /dev/null").status, 0);
  EXPECT_EQ(shell("$PROGRAM copy < /dev/null").status, 0);
  EXPECT_EQ(shell("$PROGRAM for_ever > /dev/full").status, 4);
}

TEST_P(standard_streams, standard_error_is_a_stream_of_its_own) {
  EXPECT_EQ(shell("$PROGRAM error oops 2>&1 >/dev/null").output, "oops");
}

TEST_P(standard_streams, closed_streams_are_errors) {
  EXPECT_EQ(shell("$PROGRAM copy <&- 2>&1").output, "open standard input: Bad file descriptor\n");
  EXPECT_EQ(shell("echo hi | $PROGRAM copy 2>&1 >&-").output, "open standard output: Bad file descriptor\n");
}

// --- Sockets --------------------------------------------------------------------------------------------------------

TEST_P(standard_streams, a_socket_for_both) {
  std::array<int, 2> fds{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
  const OwnedFd ours(fds[0]);
  OwnedFd theirs(fds[1]);
  Child child({SKUA_STANDARD_STREAMS_PROGRAM, "copy"}, theirs.get(), theirs.get());
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(::write(ours.get(), "ping\n", 5), 5);
    EXPECT_EQ(read_text(ours.get(), "\n"), "ping\n");
  }
  EXPECT_EQ(::fcntl(theirs.get(), F_GETFL) & O_NONBLOCK, 0) << "while it runs";
  ::shutdown(ours.get(), SHUT_WR);
  EXPECT_EQ(child.exit_status(), 0);
}

// --- Terminals ------------------------------------------------------------------------------------------------------

struct Terminal {
  Terminal() {
    int master_fd = -1;
    int slave_fd = -1;
    EXPECT_EQ(::openpty(&master_fd, &slave_fd, nullptr, nullptr, nullptr), 0);
    master = OwnedFd(master_fd);
    slave = OwnedFd(slave_fd);
    for (const int fd : {master_fd, slave_fd}) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    termios mode{};
    ::tcgetattr(slave_fd, &mode);
    mode.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    mode.c_oflag &= ~static_cast<tcflag_t>(ONLCR);
    ::tcsetattr(slave_fd, TCSANOW, &mode);
  }
  OwnedFd master;
  OwnedFd slave;
};

TEST_P(standard_streams, a_terminal_line_by_line_until_its_end) {
  Terminal terminal;
  Child child({SKUA_STANDARD_STREAMS_PROGRAM, "copy"}, terminal.slave.get(), terminal.slave.get());
  for (int i = 0; i < 20; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    EXPECT_EQ(::write(terminal.master.get(), line.data(), line.size()), static_cast<ssize_t>(line.size()));
    EXPECT_EQ(read_text(terminal.master.get(), "\n"), line);
  }
  EXPECT_EQ(::fcntl(terminal.slave.get(), F_GETFL) & O_NONBLOCK, 0) << "while it runs";
  EXPECT_EQ(::write(terminal.master.get(), "\x04", 1), 1);
  EXPECT_EQ(child.exit_status(), 0);
}

TEST_P(standard_streams, a_terminal_that_hangs_up_ends_its_reader) {
  Terminal terminal;
  Child child({SKUA_STANDARD_STREAMS_PROGRAM, "copy"}, terminal.slave.get(), -1);
  terminal.slave = OwnedFd();
  EXPECT_EQ(::write(terminal.master.get(), "no newline", 10), 10);
  terminal.master = OwnedFd();
  const int status = child.exit_status();
  EXPECT_TRUE(status == 0 || status == 4) << status;
}

// The master of a terminal cannot be opened again: shared, and pollable.
TEST_P(standard_streams, a_stream_that_cannot_be_opened_again_is_read_and_written_as_it_is) {
  Terminal terminal;
  termios raw{};
  ::tcgetattr(terminal.slave.get(), &raw);
  ::cfmakeraw(&raw);
  ::tcsetattr(terminal.slave.get(), TCSANOW, &raw);
  Child child({SKUA_STANDARD_STREAMS_PROGRAM, "impatient"}, terminal.master.get(), terminal.master.get());
  for (int i = 0; i < 20; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    EXPECT_EQ(::write(terminal.slave.get(), line.data(), line.size()), static_cast<ssize_t>(line.size()));
    EXPECT_EQ(read_text(terminal.slave.get(), "\n"), line);
  }
  EXPECT_EQ(::fcntl(terminal.master.get(), F_GETFL) & O_NONBLOCK, 0);
}

}  // namespace
}  // namespace skua::tests
