// Pipes and FIFOs.
#include "each_runtime.hpp"
#include "environment.hpp"
#include "processes.hpp"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

class pipes : public EachRuntime {};
INSTANTIATE_TEST_SUITE_P(on, pipes, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

static_assert(AsyncRead<PipeReader> && AsyncWrite<PipeWriter> && AsyncStream<AsyncFd>);
static_assert(AsyncRead<StandardInput> && AsyncWrite<StandardOutput>);

Pipe make_pipe() { return skua::pipe().value(); }

char byte_at(std::size_t position) { return static_cast<char>((position * 2654435761u) >> 13); }
std::string pattern(std::size_t from, std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = byte_at(from + i);
  return bytes;
}

Task<Result<void>> send_pattern(PipeWriter writer, std::size_t size) {
  for (std::size_t done = 0; done < size;) {
    const std::string block = pattern(done, std::min<std::size_t>(50'000, size - done));
    co_await try_(writer.write_all(block));
    done += block.size();
  }
  co_return {};
}

Task<Result<std::string>> read_to_end(PipeReader reader) {
  std::string text;
  std::array<char, 30'000> buffer;
  for (;;) {
    const std::size_t n = co_await try_(reader.read(buffer));
    if (n == 0) co_return text;
    text.append(buffer.data(), n);
  }
}

/// Fills the pipe with whole pages, as much as it takes.
std::size_t fill(const PipeWriter& writer) {
  const std::string page(PIPE_BUF, 'f');
  std::size_t written = 0;
  while (::write(writer.native_handle(), page.data(), page.size()) == static_cast<ssize_t>(page.size())) {
    written += page.size();
  }
  return written;
}
void drain(const PipeReader& reader, std::size_t size) {
  std::string buffer(size, '\0');
  EXPECT_EQ(::read(reader.native_handle(), buffer.data(), size), static_cast<ssize_t>(size));
}

/// What a thread would lose to a SIGPIPE that is taken care of in the wrong way.
struct Signals {
  static bool sigpipe_is_pending() {
    sigset_t set;
    ::sigpending(&set);
    return ::sigismember(&set, SIGPIPE) == 1;
  }
  static bool sigpipe_is_blocked() {
    sigset_t set;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &set);
    return ::sigismember(&set, SIGPIPE) == 1;
  }
  static bool sigpipe_kills() {
    struct sigaction action{};
    ::sigaction(SIGPIPE, nullptr, &action);
    return action.sa_handler == SIG_DFL;
  }
};

// --- Bytes ----------------------------------------------------------------------------------------------------------

TEST_P(pipes, megabytes_arrive_in_order_and_then_the_end) {
  static constexpr std::size_t size = scaled<std::size_t>(8 << 20, 1 << 20);
  auto body = []() -> Task<> {
    Pipe ends = make_pipe();
    auto sender = spawn(send_pattern(std::move(ends.writer), size));
    const std::string received = (co_await read_to_end(std::move(ends.reader))).value();
    EXPECT_TRUE((co_await sender).value());
    EXPECT_TRUE(received == pattern(0, size));
  };
  run(body());
}

TEST_P(pipes, ping_pong_in_block_on) {
  auto body = []() -> Task<> {
    Pipe there = make_pipe();
    Pipe back = make_pipe();
    auto echo = [](PipeReader from, PipeWriter to) -> Task<Result<void>> {
      std::array<char, 100> buffer;
      for (;;) {
        const std::size_t n = co_await try_(from.read(buffer));
        if (n == 0) co_return {};
        co_await try_(to.write_all({buffer.data(), n}));
      }
    };
    auto echoing = spawn(echo(std::move(there.reader), std::move(back.writer)));
    std::array<char, 100> buffer;
    for (int i = 0; i < 300; ++i) {
      (co_await there.writer.write_all("ping")).value();
      EXPECT_EQ((co_await back.reader.read(buffer)).value(), 4u);
    }
    std::move(there.writer).into_fd();
    EXPECT_TRUE((co_await echoing).value());
  };
  runtime_->block_on(body());
}

TEST_P(pipes, vectored_reads_and_writes) {
  auto body = []() -> Task<> {
    Pipe ends = make_pipe();
    std::string a = "Hello, ", b = "", c = "world";
    const std::array<iovec, 3> out{iovec{a.data(), a.size()}, iovec{b.data(), b.size()}, iovec{c.data(), c.size()}};
    EXPECT_EQ((co_await ends.writer.write_vectored(out)).value(), 12u);
    std::array<char, 5> first{};
    std::array<char, 20> second{};
    const std::array<iovec, 2> in{iovec{first.data(), first.size()}, iovec{second.data(), second.size()}};
    EXPECT_EQ((co_await ends.reader.read_vectored(in)).value(), 12u);
    EXPECT_EQ(std::string(first.data(), 5) + std::string(second.data(), 7), "Hello, world");
  };
  run(body());
}

TEST_P(pipes, nothing_to_do_is_done_at_once) {
  auto body = []() -> Task<> {
    Pipe ends = make_pipe();
    EXPECT_EQ((co_await ends.reader.read(MutableBuffer(nullptr, 0))).value(), 0u);
    EXPECT_EQ((co_await ends.writer.write(ConstBuffer(nullptr, 0))).value(), 0u);
    (co_await ends.writer.write_all(ConstBuffer(nullptr, 0))).value();
    EXPECT_EQ((co_await ends.reader.read_vectored({})).value(), 0u);
  };
  run(body());
}

TEST_P(pipes, a_short_read_does_not_mean_that_nothing_is_left) {
  auto body = []() -> Task<> {
    std::array<int, 2> fds{};
    EXPECT_EQ(::pipe2(fds.data(), O_DIRECT | O_CLOEXEC), 0) << "a pipe of packets";
    PipeReader reader = PipeReader::from_fd(OwnedFd(fds[0])).value();
    PipeWriter writer = PipeWriter::from_fd(OwnedFd(fds[1])).value();
    std::array<char, 100> buffer;
    // The first read registers the descriptor; from then on nothing but events, or a further try, brings packets.
    auto write_three = [](PipeWriter& to) -> Task<> {
      for (const char* packet : {"one", "two", "three"}) (co_await to.write_all(packet)).value();
    };
    for (int i = 0; i < 20; ++i) {
      auto [first, written] = co_await join(reader.read(buffer), write_three(writer));
      EXPECT_EQ(std::string(buffer.data(), first.value()), "one");
      EXPECT_EQ((co_await reader.read(buffer)).value(), 3u);
      EXPECT_EQ((co_await reader.read(buffer)).value(), 5u);
      EXPECT_EQ(std::string(buffer.data(), 5), "three");
    }
  };
  run(body());
}

TEST_P(pipes, a_write_takes_part_of_a_large_buffer_and_all_or_nothing_of_a_small_one) {
  auto body = []() -> Task<> {
    Pipe ends = make_pipe();
    const std::string large(200'000, 'x');
    const std::size_t taken = (co_await ends.writer.write(large)).value();
    EXPECT_EQ(taken, ends.writer.capacity().value());
    EXPECT_TRUE(co_await waits(ends.writer.write(ConstBuffer(large.data(), PIPE_BUF)))) << "the pipe is full";
    drain(ends.reader, PIPE_BUF);
    EXPECT_EQ((co_await ends.writer.write(ConstBuffer(large.data(), PIPE_BUF))).value(), std::size_t{PIPE_BUF});
  };
  run(body());
}

TEST_P(pipes, lines_of_many_writers_do_not_mix) {
  static constexpr int writers = 4;
  static constexpr int lines = scaled(2000, 200);
  auto body = []() -> Task<> {
    Pipe ends = make_pipe();
    const OwnedFd original = std::move(ends.writer).into_fd();
    auto write_lines = [](PipeWriter to, char letter) -> Task<Result<void>> {
      for (int i = 0; i < lines; ++i) {
        const std::string line = std::string(static_cast<std::size_t>(1 + i % 300), letter) + "\n";
        co_await try_(to.write_all(line));
      }
      co_return {};
    };
    for (int i = 0; i < writers; ++i) {
      PipeWriter writer = PipeWriter::from_fd(OwnedFd(::fcntl(original.get(), F_DUPFD_CLOEXEC, 0))).value();
      spawn(write_lines(std::move(writer), static_cast<char>('a' + i))).detach();
    }
    std::string received;
    std::array<char, 10'000> buffer;
    while (std::count(received.begin(), received.end(), '\n') < writers * lines) {
      received.append(buffer.data(), (co_await ends.reader.read(buffer)).value());
    }
    for (std::size_t at = 0; at < received.size();) {
      const std::size_t end = received.find('\n', at);
      EXPECT_EQ(received.find_first_not_of(received[at], at), end);
      at = end + 1;
    }
  };
  run(body());
}

// --- Ends -----------------------------------------------------------------------------------------------------------

TEST_P(pipes, a_write_without_a_reader_is_an_error_and_no_signal) {
  ASSERT_TRUE(Signals::sigpipe_kills());
  auto body = []() -> Task<> {
    Pipe ends = make_pipe();
    {
      const PipeReader gone = std::move(ends.reader);
    }
    const iovec part{const_cast<char*>("xyz"), 3};
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ((co_await ends.writer.write("x")).error(), std::errc::broken_pipe);
      EXPECT_EQ((co_await ends.writer.write_all("x")).error(), std::errc::broken_pipe);
      EXPECT_EQ((co_await ends.writer.write_vectored({&part, 1})).error(), std::errc::broken_pipe);
      EXPECT_FALSE(Signals::sigpipe_is_pending());
    }
  };
  run(body());
  EXPECT_FALSE(Signals::sigpipe_is_blocked());
  runtime_->block_on(body());
  EXPECT_FALSE(Signals::sigpipe_is_blocked());
  EXPECT_TRUE(Signals::sigpipe_kills());
}

TEST_P(pipes, the_last_reader_goes_while_a_write_waits) {
  auto body = []() -> Task<> {
    Pipe ends = make_pipe();
    fill(ends.writer);
    auto waiting = [](PipeWriter& writer) -> Task<Result<void>> { co_return co_await writer.write_all("more"); };
    auto leave = [](PipeReader reader) -> Task<> {
      co_await sleep(5ms);
      const PipeReader gone = std::move(reader);
    };
    auto [written, left] = co_await join(waiting(ends.writer), leave(std::move(ends.reader)));
    EXPECT_EQ(written.error(), std::errc::broken_pipe);
  };
  run(body());
}

TEST_P(pipes, the_last_writer_goes_while_a_read_waits) {
  auto body = []() -> Task<> {
    Pipe ends = make_pipe();
    auto leave = [](PipeWriter writer) -> Task<> {
      co_await sleep(5ms);
      const PipeWriter gone = std::move(writer);
    };
    std::array<char, 10> buffer;
    auto [count, left] = co_await join(ends.reader.read(buffer), leave(std::move(ends.writer)));
    EXPECT_EQ(count.value(), 0u);
    EXPECT_EQ((co_await ends.reader.read(buffer)).value(), 0u) << "and again";
  };
  run(body());
}

TEST_P(pipes, reader_gone_tells_a_writer_who_does_not_write) {
  auto body = []() -> Task<> {
    Pipe ends = make_pipe();
    EXPECT_TRUE(co_await waits(ends.writer.reader_gone())) << "there is a reader";
    (co_await ends.writer.write_all("x")).value();
    auto leave = [](PipeReader reader) -> Task<> {
      co_await sleep(5ms);
      const PipeReader gone = std::move(reader);
    };
    auto [told, left] = co_await join(ends.writer.reader_gone(), leave(std::move(ends.reader)));
    EXPECT_TRUE(told);
    EXPECT_TRUE(co_await ends.writer.reader_gone()) << "and again";
  };
  run(body());
}

TEST_P(pipes, ends_that_hung_up_cost_nothing_while_nobody_uses_them) {
  auto body = []() -> Task<> {
    // Registered: each has waited. Then the other side goes.
    Pipe first = make_pipe();
    Pipe second = make_pipe();
    std::array<char, 10> buffer;
    fill(second.writer);
    EXPECT_TRUE(co_await waits(first.reader.read(buffer)));
    EXPECT_TRUE(co_await waits(second.writer.write("x")));
    {
      const PipeWriter gone = std::move(first.writer);
    }
    {
      const PipeReader gone = std::move(second.reader);
    }
    const double used = co_await cpu_share_while_idle();
    EXPECT_LT(used, 0.5);
    EXPECT_EQ((co_await first.reader.read(buffer)).value(), 0u);
    EXPECT_EQ((co_await second.writer.write("x")).error(), std::errc::broken_pipe);
  };
  run(body());
}

// --- Cancelling -----------------------------------------------------------------------------------------------------

TEST_P(pipes, a_read_that_is_dropped_loses_no_bytes) {
  static constexpr std::size_t size = scaled<std::size_t>(300'000, 60'000);
  auto body = []() -> Task<> {
    Pipe ends = make_pipe();
    auto sender = spawn(send_pattern(std::move(ends.writer), size));
    std::string received;
    std::array<char, 700> buffer;
    for (int round = 0;; ++round) {
      const Duration patience = round % 3 == 0 ? Duration(0) : Duration(watchdog);
      const Result<std::size_t> count = co_await timeout(patience, ends.reader.read(buffer));
      if (!count && count.error() == std::errc::timed_out) continue;
      if (count.value() == 0) break;
      received.append(buffer.data(), *count);
    }
    EXPECT_TRUE((co_await sender).value());
    EXPECT_TRUE(received == pattern(0, size));
  };
  run(body());
}

TEST_P(pipes, a_write_that_is_dropped_has_written_nothing) {
  auto body = []() -> Task<> {
    Pipe ends = make_pipe();
    const std::size_t filled = fill(ends.writer);
    EXPECT_TRUE(co_await waits(ends.writer.write("dropped")));
    drain(ends.reader, filled);
    (co_await ends.writer.write_all("kept")).value();
    std::array<char, 100> buffer;
    EXPECT_EQ((co_await ends.reader.read(buffer)).value(), 4u);
  };
  run(body());
}

TEST_P(pipes, two_readers_share_a_pipe) {
  static constexpr std::size_t size = scaled<std::size_t>(400'000, 60'000);
  auto body = []() -> Task<> {
    Pipe ends = make_pipe();
    auto count = [](PipeReader& from) -> Task<std::size_t> {
      std::array<char, 512> buffer;
      for (std::size_t total = 0;;) {
        const std::size_t n = (co_await from.read(buffer)).value();
        if (n == 0) co_return total;
        total += n;
      }
    };
    auto sender = spawn(send_pattern(std::move(ends.writer), size));
    auto one = spawn(count(ends.reader));
    auto two = spawn(count(ends.reader));
    EXPECT_EQ((co_await one).value() + (co_await two).value(), size);
    EXPECT_TRUE((co_await sender).value());
  };
  run(body());
}

// --- Descriptors ----------------------------------------------------------------------------------------------------

TEST_P(pipes, capacity_can_be_asked_and_changed) {
  Pipe ends = make_pipe();
  EXPECT_GT(ends.reader.capacity().value(), 0u);
  EXPECT_GE(ends.writer.set_capacity(100'000).value(), 100'000u);
  EXPECT_EQ(ends.reader.capacity().value(), ends.writer.capacity().value());
  fill(ends.writer);
  EXPECT_EQ(ends.reader.set_capacity(4096).error(), std::errc::device_or_resource_busy);
}

TEST_P(pipes, a_child_gets_blocking_ends_and_the_bytes_come_back) {
  auto body = []() -> Task<> {
    Pipe in = make_pipe();
    Pipe out = make_pipe();
    std::array<char, 10> buffer;
    EXPECT_TRUE(co_await waits(in.reader.read(buffer))) << "so that it is watched";
    OwnedFd child_in = std::move(in.reader).into_blocking_fd().value();
    OwnedFd child_out = std::move(out.writer).into_blocking_fd().value();
    EXPECT_EQ(::fcntl(child_in.get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(in.writer.native_handle(), F_GETFL) & O_NONBLOCK, 0) << "another description";
    Child cat({"cat"}, child_in.get(), child_out.get());
    child_in = OwnedFd();
    child_out = OwnedFd();
    auto sender = spawn(send_pattern(std::move(in.writer), 300'000));
    const std::string echoed = (co_await read_to_end(std::move(out.reader))).value();
    EXPECT_TRUE((co_await sender).value());
    EXPECT_TRUE(echoed == pattern(0, 300'000));
    EXPECT_EQ(cat.exit_status(), 0);
  };
  run(body());
}

TEST_P(pipes, a_writer_is_told_when_its_reading_child_is_killed) {
  auto body = []() -> Task<> {
    Pipe in = make_pipe();
    OwnedFd child_in = std::move(in.reader).into_blocking_fd().value();
    Child sleeper({"sleep", "60"}, child_in.get(), -1);
    child_in = OwnedFd();
    fill(in.writer);
    EXPECT_TRUE(co_await waits(in.writer.write("x")));
    auto kill = [](Child& child) -> Task<> {
      co_await sleep(2ms);
      child.kill();
    };
    auto [written, killed] = co_await join(in.writer.write("x"), kill(sleeper));
    EXPECT_EQ(written.error(), std::errc::broken_pipe);
  };
  run(body());
}

TEST_P(pipes, other_descriptors_are_refused) {
  Pipe ends = make_pipe();
  EXPECT_EQ(PipeReader::from_fd(std::move(ends.writer).into_fd()).error(), std::errc::invalid_argument);
  EXPECT_EQ(PipeWriter::from_fd(std::move(ends.reader).into_fd()).error(), std::errc::invalid_argument);
  EXPECT_EQ(PipeReader::from_fd(OwnedFd(::open("/dev/null", O_RDWR | O_CLOEXEC))).error(), std::errc::invalid_argument);
  EXPECT_EQ(PipeReader::from_fd(OwnedFd()).error(), std::errc::bad_file_descriptor);
}

// --- FIFOs ----------------------------------------------------------------------------------------------------------

class fifos : public EachRuntime {
 protected:
  void SetUp() override {
    EachRuntime::SetUp();
    ASSERT_EQ(::mkfifo("fifo", 0600), 0);
  }
  ScopedDirectory directory_;
};
INSTANTIATE_TEST_SUITE_P(on, fifos, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

TEST_P(fifos, a_reader_waits_for_each_writer_and_sees_each_leave) {
  auto body = []() -> Task<> {
    PipeReader reader = Fifo("fifo").open_reader().value();
    std::array<char, 100> buffer;
    EXPECT_TRUE(co_await waits(reader.read(buffer))) << "no writer yet is not the end";
    for (int round = 0; round < 3; ++round) {
      {
        PipeWriter writer = Fifo("fifo").open_writer().value();
        if (round > 0) {
          EXPECT_TRUE(co_await waits(reader.read(buffer))) << "open again, and empty";
        }
        (co_await writer.write_all("line")).value();
        EXPECT_EQ((co_await reader.read(buffer)).value(), 4u);
      }
      EXPECT_EQ((co_await reader.read(buffer)).value(), 0u);
    }
  };
  run(body());
}

TEST_P(fifos, an_endless_reader_outlives_its_writers) {
  auto body = []() -> Task<> {
    PipeReader reader = Fifo("fifo").open_endless_reader().value();
    std::array<char, 100> buffer;
    for (int round = 0; round < 3; ++round) {
      (co_await Fifo("fifo").open_writer().value().write_all("line")).value();
      EXPECT_EQ((co_await reader.read(buffer)).value(), 4u);
      EXPECT_TRUE(co_await waits(reader.read(buffer)));
    }
  };
  run(body());
}

TEST_P(fifos, a_writer_without_a_reader_is_refused_or_waits) {
  auto body = []() -> Task<> {
    const Error error = Fifo("fifo").open_writer().error();
    EXPECT_EQ(error, std::errc::no_such_device_or_address);
    EXPECT_EQ(error.message().substr(0, 22), "open for writing fifo:");
    EXPECT_TRUE(co_await waits(Fifo("fifo").wait_for_reader()));
    // `cat` waits in open(), which nobody is told of.
    Pipe out = make_pipe();
    OwnedFd child_out = std::move(out.writer).into_blocking_fd().value();
    Child cat({"cat", "fifo"}, -1, child_out.get());
    child_out = OwnedFd();
    {
      PipeWriter writer = (co_await Fifo("fifo").wait_for_reader()).value();
      (co_await writer.write_all("hello")).value();
    }
    EXPECT_EQ((co_await read_to_end(std::move(out.reader))).value(), "hello");
    EXPECT_EQ(cat.exit_status(), 0);
  };
  run(body());
}

TEST_P(fifos, errors_name_the_path) {
  directory_.write("file", "");
  EXPECT_EQ(Fifo("none").open_reader().error().message(), "open for reading none: No such file or directory");
  EXPECT_EQ(Fifo("file").open_reader().error(), std::errc::invalid_argument);
  EXPECT_EQ(Fifo("file").open_writer().error().message(),
            "open for writing file, which is not a FIFO: Invalid argument");
}

}  // namespace
}  // namespace skua::tests
