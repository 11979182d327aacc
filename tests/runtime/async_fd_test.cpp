// AsyncFd: descriptors of many kinds, whoever owns them.
#include "each_runtime.hpp"
#include "environment.hpp"
#include "processes.hpp"

#include <fcntl.h>
#include <pty.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <termios.h>

#include <array>
#include <cstring>
#include <memory>
#include <set>
#include <string>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

class async_fd : public EachRuntime {};
INSTANTIATE_TEST_SUITE_P(on, async_fd, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

OwnedFd make_eventfd(int flags = EFD_NONBLOCK) { return OwnedFd(::eventfd(0, flags | EFD_CLOEXEC)); }
AsyncFd adopt(OwnedFd fd) { return AsyncFd::adopt(std::move(fd)).value(); }
void signal(const AsyncFd& fd, std::uint64_t count = 1) { EXPECT_EQ(::eventfd_write(fd.native_handle(), count), 0); }

/// What an eventfd has counted: -EAGAIN if nothing.
Result<std::uint64_t> read_counter(int fd) {
  std::uint64_t count = 0;
  if (::eventfd_read(fd, &count) < 0) return last_system_error("read the counter");
  return count;
}

struct SocketPair {
  explicit SocketPair(int type = SOCK_STREAM) {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
    left = OwnedFd(fds[0]);
    right = OwnedFd(fds[1]);
  }
  OwnedFd left;
  OwnedFd right;
};

// --- Which descriptors ----------------------------------------------------------------------------------------------

TEST_P(async_fd, what_cannot_be_polled_is_refused_on_both_back_ends) {
  for (const char* path : {"/proc/self/exe", "/tmp", "/dev/null"}) {
    OwnedFd fd(::open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    EXPECT_EQ(AsyncFd::borrow(fd.get()).error(), std::errc::operation_not_permitted) << path;
    EXPECT_EQ(AsyncFd::adopt(std::move(fd)).error(), std::errc::operation_not_permitted) << path;
  }
  EXPECT_EQ(AsyncFd::adopt(OwnedFd()).error(), std::errc::bad_file_descriptor);
  EXPECT_EQ(AsyncFd::borrow(-1).error(), std::errc::bad_file_descriptor);
  EXPECT_EQ(AsyncFd::borrow(1'000'000).error().message(), "borrow descriptor 1000000: Bad file descriptor");
}

TEST_P(async_fd, a_blocking_descriptor_is_changed_if_adopted_and_refused_if_borrowed) {
  OwnedFd fd = make_eventfd(0);
  EXPECT_EQ(AsyncFd::borrow(fd.get()).error(), std::errc::invalid_argument);
  EXPECT_EQ(::fcntl(fd.get(), F_GETFL) & O_NONBLOCK, 0) << "and left as it was";
  const AsyncFd adopted = adopt(std::move(fd));
  EXPECT_NE(::fcntl(adopted.native_handle(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_TRUE(AsyncFd::borrow(adopted.native_handle())) << "now it does not block";
}

TEST_P(async_fd, descriptors_are_closed_with_their_owners) {
  const std::size_t before = open_descriptors();
  auto body = []() -> Task<> {
    SocketPair pair;
    AsyncFd left = adopt(std::move(pair.left));
    AsyncFd again = AsyncFd::borrow(left.native_handle()).value();
    std::array<char, 4> buffer;
    EXPECT_TRUE(co_await waits(left.read(buffer)));
    EXPECT_TRUE(co_await waits(again.read(buffer)));
  };
  run(body());
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= before; }));
}

// --- Readiness ------------------------------------------------------------------------------------------------------

TEST_P(async_fd, readable_waits_for_the_first_event) {
  auto body = []() -> Task<> {
    AsyncFd fd = adopt(make_eventfd());
    EXPECT_TRUE(co_await waits(fd.readable())) << "nothing has been signalled";
    signal(fd, 7);
    ReadyGuard guard = (co_await fd.readable()).value();
    EXPECT_EQ(guard.try_io(read_counter).take().value(), 7u);
    // It is ready until a call has found that it would block.
    ReadyGuard stale = (co_await fd.readable()).value();
    EXPECT_TRUE(stale.try_io(read_counter).is_pending());
    EXPECT_TRUE(co_await waits(fd.readable()));
    EXPECT_TRUE((co_await fd.writable()).has_value());
  };
  run(body());
}

TEST_P(async_fd, what_was_there_before_is_reported_too) {
  auto body = []() -> Task<> {
    OwnedFd made = make_eventfd();
    EXPECT_EQ(::eventfd_write(made.get(), 3), 0);
    AsyncFd fd = adopt(std::move(made));
    ReadyGuard guard = (co_await fd.readable()).value();
    EXPECT_EQ(guard.try_io(read_counter).take().value(), 3u);
  };
  run(body());
}

TEST_P(async_fd, a_stale_guard_does_not_clear_a_newer_event) {
  auto body = []() -> Task<> {
    AsyncFd fd = adopt(make_eventfd());
    for (int i = 0; i < 50; ++i) {
      signal(fd);
      ReadyGuard early = (co_await fd.readable()).value();
      ReadyGuard stale = early;
      EXPECT_EQ(early.try_io(read_counter).take().value(), 1u);
      early.clear_ready();
      signal(fd);
      ReadyGuard late = (co_await fd.readable()).value();  // the newer event has been noted
      stale.clear_ready();
      EXPECT_TRUE((co_await fd.readable()).has_value());
      EXPECT_EQ(late.try_io(read_counter).take().value(), 1u);
      late.clear_ready();
    }
  };
  run(body());
}

TEST_P(async_fd, try_io_takes_numbers_and_results_and_passes_errors_on) {
  auto body = []() -> Task<> {
    SocketPair pair;
    AsyncFd fd = adopt(std::move(pair.left));
    EXPECT_EQ(::write(pair.right.get(), "abc", 3), 3);
    ReadyGuard guard = (co_await fd.readable()).value();
    std::array<char, 8> buffer;
    auto number = [&](int raw) -> ssize_t {
      const ssize_t n = ::read(raw, buffer.data(), buffer.size());
      return n < 0 ? -errno : n;
    };
    EXPECT_EQ(guard.try_io(number).take().value(), 3u);
    EXPECT_TRUE(guard.try_io(number).is_pending());
    auto nothing = [](int) -> Result<void> { return {}; };
    EXPECT_TRUE(guard.try_io(nothing).take().has_value());
    auto broken = [](int) { return -EIO; };
    EXPECT_EQ(guard.try_io(broken).take().error(), std::errc::io_error);
    auto failing = [](int) -> Result<std::string> { return Error(std::errc::protocol_error, "parse"); };
    EXPECT_EQ(guard.try_io(failing).take().error(), std::errc::protocol_error);
  };
  run(body());
}

TEST_P(async_fd, recheck_keeps_what_a_library_has_left) {
  auto body = []() -> Task<> {
    SocketPair pair;
    AsyncFd fd = adopt(std::move(pair.left));
    EXPECT_EQ(::write(pair.right.get(), "ab", 2), 2);
    ReadyGuard guard = (co_await fd.readable()).value();
    char byte = 0;
    EXPECT_EQ(::read(fd.native_handle(), &byte, 1), 1);  // the library reads a little, and says nothing
    EXPECT_TRUE(guard.recheck());
    EXPECT_FALSE(co_await waits(fd.readable()));
    EXPECT_EQ(::read(fd.native_handle(), &byte, 1), 1);
    ReadyGuard last = (co_await fd.readable()).value();
    EXPECT_FALSE(last.recheck());
    EXPECT_TRUE(co_await waits(fd.readable()));
    EXPECT_EQ(::write(pair.right.get(), "c", 1), 1);
    EXPECT_FALSE(co_await waits(fd.readable()));
  };
  run(body());
}

TEST_P(async_fd, read_with_waits_until_the_call_succeeds) {
  auto body = []() -> Task<> {
    AsyncFd fd = adopt(make_eventfd());
    EXPECT_TRUE(co_await waits(fd.read_with(read_counter)));
    for (std::uint64_t i = 1; i <= 100; ++i) {
      auto send = [](const AsyncFd& to, std::uint64_t count) -> Task<> {
        co_await yield_now();
        signal(to, count);
      };
      auto [count, sent] = co_await join(fd.read_with(read_counter), send(fd, i));
      EXPECT_EQ(count.value(), i);
    }
  };
  run(body());
}

TEST_P(async_fd, write_with_waits_for_room) {
  auto body = []() -> Task<> {
    AsyncFd fd = adopt(make_eventfd());
    signal(fd, ~std::uint64_t{0} - 1);  // as much as it holds
    auto add_one = [](int raw) { return ::eventfd_write(raw, 1) < 0 ? -errno : 0; };
    EXPECT_TRUE(co_await waits(fd.write_with(add_one)));
    EXPECT_EQ(read_counter(fd.native_handle()).value(), ~std::uint64_t{0} - 1);
    EXPECT_TRUE(co_await fd.write_with(add_one));
    EXPECT_EQ(read_counter(fd.native_handle()).value(), 1u);
  };
  run(body());
}

TEST_P(async_fd, two_tasks_wait_for_the_same_direction) {
  auto body = []() -> Task<> {
    const auto fd = std::make_shared<AsyncFd>(adopt(OwnedFd(::eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC))));
    auto take = [](std::shared_ptr<AsyncFd> from, int times) -> Task<> {
      for (int i = 0; i < times; ++i) EXPECT_EQ((co_await from->read_with(read_counter)).value(), 1u);
    };
    constexpr int each = scaled(2000, 300);
    auto one = spawn(take(fd, each));
    auto two = spawn(take(fd, each));
    for (int i = 0; i < 2 * each; ++i) {
      signal(*fd);
      if (i % 7 == 0) co_await yield_now();
    }
    (co_await one).value();
    (co_await two).value();
  };
  run(body());
}

TEST_P(async_fd, urgent_data_is_exceptional_and_so_is_an_error) {
  auto body = []() -> Task<> {
    TcpListener listener = TcpListener::bind(SocketAddress::loopback(0)).value();
    TcpStream client = (co_await TcpStream::connect(listener.local_address().value())).value();
    Accepted accepted = (co_await listener.accept()).value();
    AsyncFd fd = AsyncFd::borrow(accepted.stream.socket().native_handle()).value();
    EXPECT_TRUE(co_await waits(fd.exceptional()));
    (co_await client.write_all("plain")).value();
    EXPECT_TRUE(co_await waits(fd.exceptional()));
    EXPECT_EQ(::send(client.socket().native_handle(), "!", 1, MSG_OOB), 1);
    ReadyGuard guard = (co_await fd.exceptional()).value();
    EXPECT_TRUE(guard.recheck()) << "until it is read";
    char urgent = 0;
    EXPECT_EQ(::recv(fd.native_handle(), &urgent, 1, MSG_OOB), 1);
    EXPECT_EQ(urgent, '!');
    EXPECT_FALSE(guard.recheck());
    EXPECT_TRUE(co_await waits(fd.exceptional()));
    client.set_linger(0s).value();
    {
      const TcpStream reset = std::move(client);
    }
    EXPECT_TRUE((co_await fd.exceptional()).has_value());
  };
  run(body());
}

TEST_P(async_fd, a_wait_ends_when_the_runtime_is_shut_down) {
  const auto fd = std::make_shared<AsyncFd>(adopt(make_eventfd()));
  auto wait = [](std::shared_ptr<AsyncFd> on) -> Task<> { EXPECT_TRUE(co_await waits(on->readable())); };
  run(wait(fd));
  runtime_.reset();
  CountedContext context;
  auto readable = fd->readable();
  auto result = readable.poll(context);
  ASSERT_TRUE(result.is_ready());
  EXPECT_EQ(result.value().error(), std::errc::operation_canceled);
  auto read = fd->read_with(read_counter);
  auto count = read.poll(context);
  ASSERT_TRUE(count.is_ready());
  EXPECT_EQ(count.value().error(), std::errc::operation_canceled);
}

// --- Owners ---------------------------------------------------------------------------------------------------------

TEST_P(async_fd, borrowed_twice_both_are_told) {
  auto body = []() -> Task<> {
    const OwnedFd owner = make_eventfd();
    AsyncFd one = AsyncFd::borrow(owner.get()).value();
    AsyncFd two = AsyncFd::borrow(owner.get()).value();
    EXPECT_TRUE(co_await waits(one.readable()));
    EXPECT_TRUE(co_await waits(two.readable()));
    EXPECT_EQ(::eventfd_write(owner.get(), 1), 0);
    EXPECT_TRUE((co_await one.readable()).has_value());
    EXPECT_TRUE((co_await two.readable()).has_value());
  };
  run(body());
}

TEST_P(async_fd, a_borrowed_descriptor_may_be_closed_and_its_number_used_again) {
  auto body = []() -> Task<> {
    for (int i = 0; i < scaled(200, 50); ++i) {
      OwnedFd owner = make_eventfd();
      const int number = owner.get();
      AsyncFd old = AsyncFd::borrow(number).value();
      EXPECT_FALSE(co_await timeout(0ns, old.readable()));
      owner = OwnedFd();
      OwnedFd next = make_eventfd();
      if (next.get() != number) next = OwnedFd(::dup3(next.get(), number, O_CLOEXEC));  // others close theirs meanwhile
      AsyncFd fresh = adopt(std::move(next));
      EXPECT_EQ(::eventfd_write(old.native_handle(), 1), 0);
      EXPECT_TRUE((co_await old.readable()).has_value()) << "the old file is still there";
      EXPECT_FALSE(co_await timeout(0ns, fresh.readable()));
      signal(fresh, 5);
      EXPECT_EQ((co_await fresh.read_with(read_counter)).value(), 5u);
    }
  };
  run(body());
}

TEST_P(async_fd, events_of_a_description_that_lives_on_reach_no_new_owner) {
  auto body = []() -> Task<> {
    for (int i = 0; i < scaled(200, 50); ++i) {
      OwnedFd made = make_eventfd();
      const OwnedFd duplicate(::fcntl(made.get(), F_DUPFD_CLOEXEC, 0));
      {
        AsyncFd dropped = adopt(std::move(made));
        EXPECT_FALSE(co_await timeout(0ns, dropped.readable()));
      }
      AsyncFd next = adopt(make_eventfd());
      EXPECT_FALSE(co_await timeout(0ns, next.readable()));
      EXPECT_EQ(::eventfd_write(duplicate.get(), 1), 0);
      if (i % 50 == 0) {
        EXPECT_TRUE(co_await waits(next.readable()));
      }
      EXPECT_FALSE(co_await timeout(0ns, next.readable()));
      signal(next, 9);
      EXPECT_EQ((co_await next.read_with(read_counter)).value(), 9u);
    }
  };
  run(body());
}

TEST_P(async_fd, a_child_that_inherited_a_watched_descriptor_costs_nothing) {
  auto body = []() -> Task<> {
    SocketPair pair;
    auto dropped = std::make_unique<AsyncFd>(adopt(std::move(pair.left)));
    std::array<char, 4> buffer;
    EXPECT_TRUE(co_await waits(dropped->read(buffer)));
    Child sleeper({"sleep", "60"}, dropped->native_handle(), -1);
    dropped.reset();
    EXPECT_EQ(::write(pair.right.get(), "unread", 6), 6) << "the child keeps it open";
    const double used = co_await cpu_share_while_idle();
    EXPECT_LT(used, 0.5);
  };
  run(body());
}

TEST_P(async_fd, into_inner_gives_the_descriptor_back) {
  auto body = []() -> Task<> {
    AsyncFd fd = adopt(make_eventfd());
    const int number = fd.native_handle();
    for (int i = 0; i < scaled(100, 30); ++i) {
      EXPECT_FALSE(co_await timeout(0ns, fd.readable()));
      OwnedFd inner = std::move(fd).into_inner();
      EXPECT_EQ(inner.get(), number);
      EXPECT_EQ(::eventfd_write(inner.get(), 2), 0);
      fd = adopt(std::move(inner));
      EXPECT_EQ((co_await fd.read_with(read_counter)).value(), 2u);
    }
  };
  run(body());
}

// --- Errors and ends ------------------------------------------------------------------------------------------------

TEST_P(async_fd, the_end_of_a_socketpair) {
  auto body = []() -> Task<> {
    SocketPair pair;
    AsyncFd left = adopt(std::move(pair.left));
    std::array<char, 8> buffer;
    EXPECT_TRUE(co_await waits(left.read(buffer)));
    EXPECT_EQ(::write(pair.right.get(), "last", 4), 4);
    pair.right = OwnedFd();
    EXPECT_EQ((co_await left.read(buffer)).value(), 4u);
    EXPECT_EQ((co_await left.read(buffer)).value(), 0u);
    EXPECT_EQ((co_await left.write("x")).error(), std::errc::broken_pipe) << "and no SIGPIPE";
    EXPECT_EQ((co_await left.write_all("x")).error(), std::errc::broken_pipe);
    const double used = co_await cpu_share_while_idle();
    EXPECT_LT(used, 0.5);
  };
  run(body());
  runtime_->block_on(body());
}

TEST_P(async_fd, a_peer_that_is_killed_ends_a_socketpair) {
  auto body = []() -> Task<> {
    SocketPair pair;
    AsyncFd left = adopt(std::move(pair.left));
    Child sleeper({"sleep", "60"}, pair.right.get(), -1);
    pair.right = OwnedFd();
    std::array<char, 8> buffer;
    EXPECT_TRUE(co_await waits(left.read(buffer)));
    auto kill = [](Child& child) -> Task<> {
      co_await yield_now();
      child.kill();
    };
    auto [count, killed] = co_await join(left.read(buffer), kill(sleeper));
    EXPECT_EQ(count.value(), 0u);
  };
  run(body());
}

// --- Real kinds -----------------------------------------------------------------------------------------------------

TEST_P(async_fd, inotify_tells_of_new_files) {
  const ScopedDirectory directory;
  auto body = [](const ScopedDirectory& watched) -> Task<> {
    AsyncFd fd = adopt(OwnedFd(::inotify_init1(IN_CLOEXEC)));
    EXPECT_GE(::inotify_add_watch(fd.native_handle(), watched.path().c_str(), IN_CREATE), 0);
    alignas(inotify_event) std::array<char, 8192> buffer;
    EXPECT_TRUE(co_await waits(fd.read(buffer)));
    std::set<std::string> seen;
    std::set<std::string> made;
    for (int i = 0; i < 20; ++i) {
      const std::string name = "file_" + std::to_string(i);
      watched.write(name, "x");
      made.insert(name);
      while (seen.count(name) == 0) {
        const std::size_t size = (co_await fd.read(buffer)).value();
        for (std::size_t at = 0; at < size;) {
          const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
          seen.insert(event->name);
          at += sizeof(inotify_event) + event->len;
        }
      }
    }
    EXPECT_EQ(seen, made);
  };
  run(body(directory));
}

TEST_P(async_fd, a_timerfd_counts_its_expirations) {
  auto body = []() -> Task<> {
    AsyncFd fd = adopt(OwnedFd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)));
    EXPECT_TRUE(co_await waits(fd.readable())) << "not armed";
    const Instant start = now();
    const itimerspec each_millisecond{.it_interval = {0, 1'000'000}, .it_value = {0, 1'000'000}};
    EXPECT_EQ(::timerfd_settime(fd.native_handle(), 0, &each_millisecond, nullptr), 0);
    std::uint64_t expirations = 0;
    while (expirations < 10) {
      std::uint64_t count = 0;
      EXPECT_EQ((co_await fd.read(MutableBuffer(&count, sizeof count))).value(), sizeof count);
      expirations += count;
    }
    EXPECT_GE(now() - start, 10ms);
  };
  run(body());
}

struct Terminal {
  Terminal() {
    int master_fd = -1;
    int slave_fd = -1;
    std::array<char, 100> path{};
    EXPECT_EQ(::openpty(&master_fd, &slave_fd, path.data(), nullptr, nullptr), 0);
    master = OwnedFd(master_fd);
    slave = OwnedFd(slave_fd);
    ::fcntl(master_fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(slave_fd, F_SETFD, FD_CLOEXEC);
    name = path.data();
  }
  OwnedFd master;
  OwnedFd slave;
  std::string name;
};

TEST_P(async_fd, a_shell_on_a_terminal_answers_until_it_hangs_up) {
  auto body = []() -> Task<> {
    Terminal terminal;
    AsyncFd fd = adopt(std::move(terminal.master));
    Child shell({"sh"}, terminal.slave.get(), terminal.slave.get(), terminal.slave.get());
    terminal.slave = OwnedFd();
    (co_await fd.write_all("echo answer $((6*7))\n")).value();
    std::string text;
    std::array<char, 1000> buffer;
    while (text.find("answer 42") == std::string::npos) {
      text.append(buffer.data(), (co_await fd.read(buffer)).value());
    }
    (co_await fd.write_all("exit 3\n")).value();
    Result<std::size_t> count = co_await fd.read(buffer);
    while (count) count = co_await fd.read(buffer);
    EXPECT_EQ(count.error(), std::errc::io_error) << "how Linux says that nobody has the terminal open";
    EXPECT_EQ(shell.exit_status(), 3);
    const double used = co_await cpu_share_while_idle();
    EXPECT_LT(used, 0.5);
  };
  run(body());
}

TEST_P(async_fd, a_terminal_can_be_opened_again_after_it_hung_up) {
  auto body = []() -> Task<> {
    Terminal terminal;
    AsyncFd fd = adopt(std::move(terminal.master));
    std::array<char, 100> buffer;
    EXPECT_TRUE(co_await waits(fd.read(buffer)));
    for (int round = 0; round < 3; ++round) {
      terminal.slave = OwnedFd();
      EXPECT_EQ((co_await fd.read(buffer)).error(), std::errc::io_error);
      terminal.slave = OwnedFd(::open(terminal.name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
      EXPECT_TRUE(co_await waits(fd.read(buffer)));
      EXPECT_EQ(::write(terminal.slave.get(), "hi", 2), 2);
      EXPECT_EQ((co_await fd.read(buffer)).value(), 2u);
    }
  };
  run(body());
}

TEST_P(async_fd, the_master_of_a_terminal_goes) {
  auto body = []() -> Task<> {
    Terminal terminal;
    AsyncFd fd = adopt(std::move(terminal.slave));
    std::array<char, 100> buffer;
    EXPECT_TRUE(co_await waits(fd.read(buffer)));
    terminal.master = OwnedFd();
    Result<std::size_t> end = co_await fd.read(buffer);
    EXPECT_EQ(std::move(end).value_or(0), 0u);
    EXPECT_EQ((co_await fd.write("x")).error(), std::errc::io_error);
    const double used = co_await cpu_share_while_idle();
    EXPECT_LT(used, 0.5);
  };
  run(body());
}

}  // namespace
}  // namespace skua::tests
