// What every driver does: on io_uring, with queues that are always full too, and on epoll.
#include <skua/reactor/driver.hpp>
#include <skua/reactor/io_source.hpp>

#include "../support/probe.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace skua::reactor {

using namespace tests;
using namespace std::chrono_literals;

namespace {

struct BackendUnderTest {
  const char* test;
  const char* name;
  Result<std::unique_ptr<Poller>> (*make)();
};

/// A descriptor that closes with its owner.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) { EXPECT_GE(fd, 0); }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  void write(std::string_view bytes = "x") const {
    EXPECT_EQ(::write(fd_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }

 private:
  int fd_;
};

std::pair<Descriptor, Descriptor> make_socketpair() {
  int fds[2] = {-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  return {Descriptor(fds[0]), Descriptor(fds[1])};
}

/// True if the other end of `fd` is closed, within the watchdog's time.
bool sees_end(const Descriptor& fd) {
  pollfd entry{fd.get(), POLLIN, 0};
  char byte = 0;
  return ::poll(&entry, 1, static_cast<int>(std::chrono::milliseconds(watchdog).count())) == 1 &&
         ::read(fd.get(), &byte, 1) == 0;
}

class driver : public testing::TestWithParam<BackendUnderTest> {
 protected:
  void SetUp() override {
    auto poller = GetParam().make();
    if (!poller) GTEST_SKIP() << GetParam().name << " is refused here: " << poller.error().message();
    driver_ = make_ref<Driver>(*std::move(poller));
    EXPECT_STREQ(driver_->backend(), GetParam().name);
    before_ = Driver::set_current(driver_.get());
  }
  void TearDown() override {
    Driver::set_current(before_);
    if (driver_) driver_->shutdown();
  }

  /// Parks until `condition` holds; false if it does not within the watchdog's time.
  template <class Condition>
  [[nodiscard]] bool park_until(Condition condition) {
    const Instant end = seam::now() + watchdog;
    while (!condition()) {
      if (seam::now() >= end) return false;
      driver_->park(end);
    }
    return true;
  }

  /// Waits for `direction` of `source`, for which it is not ready.
  bool wait(IoSource& source, Direction direction, IoSource::Waiter& waiter, CountedContext& context) {
    source.clear(direction, source.snapshot(direction));
    auto is_ready = source.wait_ready(direction, waiter, context.waker());
    EXPECT_TRUE(is_ready.has_value());
    return is_ready && !*is_ready;
  }

  Ref<Driver> driver_;
  Driver* before_ = nullptr;
};

// --- Parking --------------------------------------------------------------------------------------------------------

TEST_P(driver, wake_before_park_is_not_lost) {
  for (int i = 0; i < 100; ++i) {
    driver_->wake();
    const Instant end = seam::now() + watchdog;
    driver_->park(end);
    ASSERT_LT(seam::now(), end);
  }
}

TEST_P(driver, wake_from_another_thread_ends_park) {
  std::atomic<bool> done{false};
  std::thread waker([&] {
    while (!done.load()) {
      driver_->wake();
      std::this_thread::yield();
    }
  });
  bool lost = false;
  for (int i = 0; i < scaled(20'000, 3'000) && !lost; ++i) {
    const Instant end = seam::now() + watchdog;
    driver_->park(end);
    lost = seam::now() >= end;
  }
  EXPECT_FALSE(lost);
  done = true;
  waker.join();
}

TEST_P(driver, each_wake_of_a_sleeper_ends_its_park) {
  std::atomic<int> asked{0};
  std::atomic<int> answered{0};
  constexpr int rounds = scaled(10'000, 2'000);
  std::thread owner([&] {
    while (answered < rounds) {
      driver_->park(seam::now() + watchdog);
      answered.store(asked.load());
    }
  });
  for (int i = 1; i <= rounds; ++i) {
    asked = i;
    driver_->wake();
    ASSERT_TRUE(eventually([&] { return answered.load() >= i; })) << "lost wake " << i;
  }
  owner.join();
}

// A harvest takes what it finds, also what was to wake the owner who has just gone to sleep.
TEST_P(driver, wake_is_not_lost_to_a_thread_that_harvests) {
  std::atomic<int> asked{0};
  std::atomic<int> answered{0};
  std::atomic<bool> done{false};
  constexpr int rounds = scaled(10'000, 2'000);
  std::thread owner([&] {
    while (answered < rounds && !done) {
      driver_->park(seam::now() + 2s);
      answered.store(asked.load());
    }
  });
  std::thread harvester([&] {
    while (!done.load()) {
      driver_->harvest();
      std::this_thread::sleep_for(20us);  // lets the owner have the lock
    }
  });
  bool lost = false;
  for (int i = 1; i <= rounds && !lost; ++i) {
    asked = i;
    driver_->wake();
    const Instant end = seam::now() + 1s;
    while (answered.load() < i && !lost) lost = seam::now() > end;
    EXPECT_FALSE(lost) << "wake " << i << " did not end the park within a second";
  }
  done = true;
  driver_->wake();
  owner.join();
  harvester.join();
}

TEST_P(driver, park_ends_at_its_limit_and_not_before) {
  for (const auto duration : {0ms, 1ms, 20ms}) {
    const Instant limit = seam::now() + duration;
    while (seam::now() < limit) driver_->park(limit);
    EXPECT_GE(seam::now(), limit);
  }
  driver_->park(seam::now() - 1s);  // returns
  driver_->park(Instant::min());
}

TEST_P(driver, park_ends_for_a_timer) {
  TimerEntry entry;
  CountedContext context;
  const Instant deadline = seam::now() + 10ms;
  driver_->arm_timer(entry, deadline, context.waker());
  EXPECT_EQ(driver_->armed_timers(), 1u);
  ASSERT_TRUE(park_until([&] { return context.wakes() == 1; }));
  EXPECT_GE(seam::now(), deadline);
  EXPECT_TRUE(entry.has_fired());
  EXPECT_EQ(driver_->armed_timers(), 0u);
}

TEST_P(driver, timer_armed_by_another_thread_wakes_a_sleeper_in_time) {
  TimerEntry far, near;
  CountedContext context;
  driver_->arm_timer(far, seam::now() + 1h, Waker::noop());
  std::thread other([&] { driver_->arm_timer(near, seam::now() + 5ms, context.waker()); });
  EXPECT_TRUE(park_until([&] { return context.wakes() == 1; }));
  other.join();
  driver_->cancel_timer(far);
  driver_->cancel_timer(near);
}

TEST_P(driver, cancelled_timer_does_not_fire) {
  TimerEntry entry;
  CountedContext context;
  driver_->arm_timer(entry, seam::now() + 1ms, context.waker());
  driver_->cancel_timer(entry);
  driver_->park(seam::now() + 5ms);
  driver_->park(seam::now() + 5ms);
  EXPECT_EQ(context.wakes(), 0);
  EXPECT_FALSE(entry.has_fired());
}

TEST_P(driver, timer_wakes_the_waker_that_replaced_the_first) {
  TimerEntry entry;
  CountedContext first, second;
  driver_->arm_timer(entry, seam::now() + 2ms, first.waker());
  EXPECT_TRUE(driver_->replace_timer_waker(entry, second.waker()));
  ASSERT_TRUE(park_until([&] { return second.wakes() == 1; }));
  EXPECT_EQ(first.wakes(), 0);
  EXPECT_FALSE(driver_->replace_timer_waker(entry, first.waker()));
}

TEST_P(driver, far_deadlines_park_without_turning_in_circles) {
  for (const Duration far : {Duration(25 * 24h), Duration(24h * 365 * 200)}) {
    TimerEntry entry;
    driver_->arm_timer(entry, saturating_add(seam::now(), far), Waker::noop());
    const Instant limit = seam::now() + 20ms;
    int parks = 0;
    for (; seam::now() < limit; ++parks) driver_->park(limit);
    EXPECT_LT(parks, 10);
    driver_->cancel_timer(entry);
  }
  TimerEntry never;  // 10,000 years
  driver_->arm_timer(never, saturating_add(seam::now(), std::chrono::hours(24L * 365 * 10'000)), Waker::noop());
  const Instant limit = seam::now() + 20ms;
  int parks = 0;
  for (; seam::now() < limit; ++parks) driver_->park(limit);
  EXPECT_LT(parks, 10);
  driver_->cancel_timer(never);
}

TEST_P(driver, sleeper_without_a_limit_ends_when_woken) {
  TimerEntry entry;
  driver_->arm_timer(entry, Instant::max(), Waker::noop());
  std::atomic<bool> awake{false};
  std::thread owner([&] {
    driver_->park();
    awake = true;
  });
  driver_->wake();
  EXPECT_TRUE(eventually([&] { return awake.load(); }));
  owner.join();
  driver_->cancel_timer(entry);
}

TEST_P(driver, a_thousand_timers_of_one_instant_all_fire) {
  std::vector<TimerEntry> entries(1000);
  TimerEntry after;
  CountedContext context;
  const Instant deadline = seam::now() + 10ms;
  for (auto& entry : entries) driver_->arm_timer(entry, deadline, context.waker());
  driver_->arm_timer(after, deadline + 1ms, context.waker());
  EXPECT_TRUE(park_until([&] { return context.wakes() == 1001; }));
  for (auto& entry : entries) driver_->cancel_timer(entry);
  driver_->cancel_timer(after);
}

// --- Descriptors ----------------------------------------------------------------------------------------------------

struct Readable {
  Descriptor watched;
  Descriptor written;
};
Readable readable_of(const std::string& kind) {
  if (kind == "socketpair") {
    auto [left, right] = make_socketpair();
    return {std::move(left), std::move(right)};
  }
  if (kind == "pipe") {
    int fds[2] = {-1, -1};
    EXPECT_EQ(::pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    return {Descriptor(fds[0]), Descriptor(fds[1])};
  }
  Descriptor event(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  Descriptor same(::fcntl(event.get(), F_DUPFD_CLOEXEC, 0));
  return {std::move(event), std::move(same)};
}

TEST_P(driver, park_ends_for_a_readable_descriptor) {
  for (const std::string kind : {"socketpair", "pipe", "eventfd"}) {
    SCOPED_TRACE(kind);
    Readable ends = readable_of(kind);
    const auto source = make_ref<IoSource>(ends.watched.release());
    CountedContext context;
    IoSource::Waiter waiter(*source);
    ASSERT_TRUE(wait(*source, Direction::read, waiter, context));
    driver_->park(seam::now() + 1ms);
    EXPECT_EQ(context.wakes(), 0);
    std::thread writer([&] { ends.written.write("12345678"); });
    EXPECT_TRUE(park_until([&] { return context.wakes() == 1; }));
    writer.join();
    EXPECT_TRUE(Readiness::is_ready(source->snapshot(Direction::read)));
  }
}

TEST_P(driver, what_was_readable_before_the_wait_is_reported) {
  auto [left, right] = make_socketpair();
  const auto source = make_ref<IoSource>(left.release());
  right.write();
  CountedContext context;
  IoSource::Waiter waiter(*source);
  ASSERT_TRUE(wait(*source, Direction::read, waiter, context));
  EXPECT_TRUE(park_until([&] { return context.wakes() == 1; }));
}

TEST_P(driver, events_are_edges) {
  if (GetParam().test == std::string_view("io_uring_tiny_queues")) {
    GTEST_SKIP() << "a full queue ends a multishot poll, and the next one begins with the present state";
  }
  auto [left, right] = make_socketpair();
  const auto source = make_ref<IoSource>(left.release());
  CountedContext context;
  IoSource::Waiter waiter(*source);
  ASSERT_TRUE(wait(*source, Direction::read, waiter, context));
  right.write();
  ASSERT_TRUE(park_until([&] { return context.wakes() == 1; }));
  // Nothing has been read, and nothing new has come: no event.
  ASSERT_TRUE(wait(*source, Direction::read, waiter, context));
  const Instant limit = seam::now() + 10ms;
  while (seam::now() < limit) driver_->park(limit);
  EXPECT_EQ(context.wakes(), 1);
  right.write();
  EXPECT_TRUE(park_until([&] { return context.wakes() == 2; }));
}

TEST_P(driver, writable_again_is_reported) {
  auto [left, right] = make_socketpair();
  const auto source = make_ref<IoSource>(left.release());
  const std::array<char, 65536> block{};
  while (::write(source->fd(), block.data(), block.size()) > 0) {
  }
  CountedContext context;
  IoSource::Waiter waiter(*source);
  ASSERT_TRUE(wait(*source, Direction::write, waiter, context));
  driver_->park(seam::now() + 1ms);
  EXPECT_EQ(context.wakes(), 0);
  std::array<char, 65536> sink;
  while (::read(right.get(), sink.data(), sink.size()) > 0) {
  }
  EXPECT_TRUE(park_until([&] { return context.wakes() == 1; }));
}

TEST_P(driver, end_of_the_peer_closes_the_read_direction) {
  auto [left, right] = make_socketpair();
  const auto source = make_ref<IoSource>(left.release());
  CountedContext context;
  IoSource::Waiter waiter(*source);
  ASSERT_TRUE(wait(*source, Direction::read, waiter, context));
  right.close();
  ASSERT_TRUE(park_until([&] { return context.wakes() == 1; }));
  EXPECT_TRUE(Readiness::is_closed(source->snapshot(Direction::read)));
  source->clear(Direction::read, source->snapshot(Direction::read));
  EXPECT_TRUE(Readiness::is_ready(source->snapshot(Direction::read)));
}

TEST_P(driver, a_fifo_that_is_opened_again_is_reported) {
  char path[] = "/tmp/skua-fifo-XXXXXX";
  ASSERT_NE(::mkdtemp(path), nullptr);
  const std::string fifo = std::string(path) + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const auto source = make_ref<IoSource>(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  CountedContext context;
  IoSource::Waiter waiter(*source);
  ASSERT_TRUE(wait(*source, Direction::read, waiter, context));
  for (int round = 1; round <= 3; ++round) {
    Descriptor writer(::open(fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    writer.write();
    EXPECT_TRUE(park_until([&] { return context.wakes() == 2 * round - 1; })) << "what was written";
    char byte = 0;
    EXPECT_EQ(::read(source->fd(), &byte, 1), 1);
    ASSERT_TRUE(wait(*source, Direction::read, waiter, context));
    writer.close();
    EXPECT_TRUE(park_until([&] { return context.wakes() == 2 * round; })) << "its end";
    EXPECT_TRUE(Readiness::is_closed(source->snapshot(Direction::read)));
    // As a read does that finds the FIFO open again, and empty.
    source->would_block(Direction::read, source->snapshot(Direction::read));
    ASSERT_TRUE(wait(*source, Direction::read, waiter, context));
  }
  std::filesystem::remove_all(path);
}

TEST_P(driver, urgent_data_is_exceptional) {
  int fds[2] = {-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  Descriptor right(fds[1]);
  const auto source = make_ref<IoSource>(fds[0]);
  CountedContext context;
  IoSource::Waiter waiter(*source);
  ASSERT_TRUE(wait(*source, Direction::exceptional, waiter, context));
  right.write();
  driver_->park(seam::now() + 1ms);
  EXPECT_EQ(context.wakes(), 0);
  if (::send(right.get(), "!", 1, MSG_OOB) != 1) GTEST_SKIP() << "a kernel without urgent data on Unix sockets";
  EXPECT_TRUE(park_until([&] { return context.wakes() == 1; }));
}

TEST_P(driver, all_waiters_of_a_direction_are_woken_and_none_of_the_other) {
  auto [left, right] = make_socketpair();
  const auto source = make_ref<IoSource>(left.release());
  const std::array<char, 65536> block{};
  while (::write(source->fd(), block.data(), block.size()) > 0) {
  }
  CountedContext one, two, three, writer, gone;
  IoSource::Waiter first(*source), second(*source), third(*source), fourth(*source);
  ASSERT_TRUE(wait(*source, Direction::read, first, one));
  ASSERT_TRUE(wait(*source, Direction::read, second, two));
  {
    IoSource::Waiter withdrawn(*source);
    ASSERT_TRUE(wait(*source, Direction::read, withdrawn, gone));
  }
  ASSERT_TRUE(wait(*source, Direction::read, third, three));
  ASSERT_TRUE(wait(*source, Direction::write, fourth, writer));
  right.write();
  EXPECT_TRUE(park_until([&] { return one.wakes() + two.wakes() + three.wakes() == 3; }));
  EXPECT_EQ(gone.wakes(), 0);
  EXPECT_EQ(writer.wakes(), 0);
}

TEST_P(driver, registration_by_another_thread_reaches_an_owner_who_sleeps) {
  auto [left, right] = make_socketpair();
  const auto source = make_ref<IoSource>(left.release());
  CountedContext context;
  std::atomic<bool> done{false};
  std::thread owner([&] {
    while (!done) driver_->park(seam::now() + watchdog);
  });
  IoSource::Waiter waiter(*source);
  EXPECT_TRUE(wait(*source, Direction::read, waiter, context));
  right.write();
  EXPECT_TRUE(eventually([&] { return context.wakes() == 1; }));
  done = true;
  driver_->wake();
  owner.join();
}

// A worker whose ring is nearly full asks for few: the rest stays in the kernel, and is not lost.
TEST_P(driver, a_look_takes_no_more_events_than_it_is_told) {
  constexpr std::size_t count = 24;
  std::vector<std::pair<Descriptor, Ref<IoSource>>> pairs;
  std::array<CountedContext, count> contexts;
  std::vector<std::unique_ptr<IoSource::Waiter>> waiters;
  for (CountedContext& context : contexts) {
    auto [left, right] = make_socketpair();
    const auto source = make_ref<IoSource>(left.release());
    waiters.push_back(std::make_unique<IoSource::Waiter>(*source));
    ASSERT_TRUE(wait(*source, Direction::read, *waiters.back(), context));
    pairs.emplace_back(std::move(right), source);
  }
  for (int i = 0; i < 5; ++i) driver_->look();  // the first event of each: it is writable
  for (const auto& [right, source] : pairs) right.write();
  const auto woken = [&] {
    return std::ranges::count_if(contexts, [](const auto& each) { return each.wakes() != 0; });
  };
  ASSERT_EQ(woken(), 0);
  const Instant end = seam::now() + watchdog;
  for (auto before = woken(); before != count; before = woken()) {
    driver_->look(5);
    ASSERT_LE(woken() - before, 5);
    ASSERT_LT(seam::now(), end);
  }
}

TEST_P(driver, deregistered_descriptor_is_closed_by_the_owner) {
  auto [left, right] = make_socketpair();
  {
    const auto source = make_ref<IoSource>(left.release());
    CountedContext context;
    IoSource::Waiter waiter(*source);
    ASSERT_TRUE(wait(*source, Direction::read, waiter, context));
    driver_->look();
    EXPECT_EQ(driver_->registered_sources(), 1u);
  }
  EXPECT_TRUE(park_until([&] { return driver_->registered_sources() == 0; }));
  EXPECT_TRUE(sees_end(right));
}

TEST_P(driver, a_released_descriptor_stays_open_and_is_watched_no_more) {
  auto [left, right] = make_socketpair();
  const auto source = make_ref<IoSource>(left.release());
  CountedContext context;
  {
    IoSource::Waiter waiter(*source);
    ASSERT_TRUE(wait(*source, Direction::read, waiter, context));
    driver_->look();
  }
  left = Descriptor(source->release());
  EXPECT_TRUE(park_until([&] { return driver_->registered_sources() == 0; }));
  right.write();
  char byte = 0;
  EXPECT_EQ(::read(left.get(), &byte, 1), 1);
  // And it can be watched again.
  const auto again = make_ref<IoSource>(left.release());
  IoSource::Waiter waiter(*again);
  ASSERT_TRUE(wait(*again, Direction::read, waiter, context));
  right.write();
  EXPECT_TRUE(park_until([&] { return context.wakes() == 1; }));
}

TEST_P(driver, descriptor_deregistered_before_the_kernel_heard_of_it_is_closed) {
  auto [left, right] = make_socketpair();
  {
    const auto source = make_ref<IoSource>(left.release());
    CountedContext context;
    IoSource::Waiter waiter(*source);
    ASSERT_TRUE(wait(*source, Direction::read, waiter, context));
  }
  EXPECT_TRUE(park_until([&] { return driver_->registered_sources() == 0; }));
  EXPECT_TRUE(sees_end(right));
}

TEST_P(driver, descriptor_dropped_by_another_thread_is_closed_while_the_owner_sleeps) {
  auto [left, right] = make_socketpair();
  auto source = make_ref<IoSource>(left.release());
  CountedContext context;
  {
    IoSource::Waiter waiter(*source);
    ASSERT_TRUE(wait(*source, Direction::read, waiter, context));
  }
  std::atomic<bool> done{false};
  std::thread owner([&] {
    while (!done) driver_->park(seam::now() + watchdog);
  });
  source = nullptr;
  EXPECT_TRUE(sees_end(right));
  EXPECT_TRUE(eventually([&] { return driver_->registered_sources() == 0; }));
  done = true;
  driver_->wake();
  owner.join();
}

TEST_P(driver, a_descriptor_number_used_again_does_not_get_old_events) {
  for (int i = 0; i < scaled(2000, 300); ++i) {
    auto [old_left, old_right] = make_socketpair();
    {
      const auto source = make_ref<IoSource>(old_left.release());
      CountedContext context;
      IoSource::Waiter waiter(*source);
      ASSERT_TRUE(wait(*source, Direction::read, waiter, context));
      if (i % 2 == 0) driver_->look();
      old_right.write();  // an event for a source that is about to be gone
      if (i % 3 == 0) old_right.close();
    }
    if (i % 5 == 0) driver_->look();
    auto [left, right] = make_socketpair();
    const auto source = make_ref<IoSource>(left.release());
    CountedContext context;
    IoSource::Waiter waiter(*source);
    ASSERT_TRUE(wait(*source, Direction::read, waiter, context));
    for (int looks = 0; looks < 3; ++looks) driver_->look();
    ASSERT_EQ(context.wakes(), 0);
    ASSERT_FALSE(Readiness::is_ready(source->snapshot(Direction::read)));
    right.write();
    ASSERT_TRUE(park_until([&] { return context.wakes() == 1; }));
  }
}

TEST_P(driver, ten_thousand_registrations_leave_nothing_behind) {
  const std::size_t before = open_descriptors();
  for (int i = 0; i < scaled(10'000, 2'000); ++i) {
    Descriptor event(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    const auto source = make_ref<IoSource>(event.release());
    CountedContext context;
    IoSource::Waiter waiter(*source);
    ASSERT_TRUE(wait(*source, Direction::read, waiter, context));
    if (i % 3 == 0) driver_->look();
    ASSERT_LT(driver_->registered_sources(), 1000u);
    if (i % 100 == 0) driver_->look();
  }
  EXPECT_TRUE(park_until([&] { return driver_->registered_sources() == 0; }));
  EXPECT_EQ(open_descriptors(), before);
}

TEST_P(driver, more_events_than_the_completion_queue_holds_are_not_lost) {
  constexpr std::size_t count = 5000;  // the queue has 4096 places
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = std::max(limit.rlim_cur, std::min<rlim_t>(limit.rlim_max, count + 200));
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < count + 200) GTEST_SKIP() << "the limit of descriptors is " << limit.rlim_cur;

  struct Watched {
    explicit Watched(int fd) : source(make_ref<IoSource>(fd)), waiter(*source) {}
    Ref<IoSource> source;
    IoSource::Waiter waiter;
  };
  std::vector<std::unique_ptr<Watched>> all;
  CountedContext context;
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(std::make_unique<Watched>(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)));
    ASSERT_TRUE(wait(*all[i]->source, Direction::read, all[i]->waiter, context));
  }
  for (int round = 1; round <= 3; ++round) {
    const std::uint64_t one = 1;
    for (auto& watched : all) ASSERT_EQ(::write(watched->source->fd(), &one, sizeof one), 8);
    ASSERT_TRUE(park_until([&] { return context.wakes() >= round * static_cast<int>(count); }))
        << context.wakes() << " wakes in round " << round;
    std::uint64_t value = 0;
    for (auto& watched : all) {
      ASSERT_EQ(::read(watched->source->fd(), &value, sizeof value), 8);
      watched->source->clear(Direction::read, watched->source->snapshot(Direction::read));
      ASSERT_TRUE(wait(*watched->source, Direction::read, watched->waiter, context));
    }
  }
}

TEST_P(driver, harvest_by_another_thread_wakes_the_waiters_of_a_busy_owner) {
  auto [left, right] = make_socketpair();
  const auto source = make_ref<IoSource>(left.release());
  CountedContext readable, timed;
  TimerEntry entry;
  std::atomic<bool> registered{false};
  std::atomic<bool> done{false};
  IoSource::Waiter waiter(*source);
  std::thread owner([&] {
    Driver::set_current(driver_.get());
    EXPECT_TRUE(wait(*source, Direction::read, waiter, readable));
    driver_->arm_timer(entry, seam::now() + 1ms, timed.waker());
    driver_->look();  // hands the registration to the kernel
    registered = true;
    while (!done) {  // busy in user code
    }
    Driver::set_current(nullptr);
  });
  EXPECT_TRUE(eventually([&] { return registered.load(); }));
  right.write();
  EXPECT_TRUE(eventually([&] {
    driver_->harvest();
    return readable.wakes() == 1 && timed.wakes() == 1;
  }));
  done = true;
  owner.join();
  driver_->cancel_timer(entry);
}

// --- Shutdown -------------------------------------------------------------------------------------------------------

TEST_P(driver, shutdown_wakes_all_who_wait) {
  auto [left, right] = make_socketpair();
  const auto source = make_ref<IoSource>(left.release());
  CountedContext readable, timed;
  IoSource::Waiter waiter(*source);
  TimerEntry entry;
  ASSERT_TRUE(wait(*source, Direction::read, waiter, readable));
  driver_->arm_timer(entry, Instant::max(), timed.waker());
  driver_->shutdown();
  EXPECT_EQ(readable.wakes(), 1);
  EXPECT_EQ(timed.wakes(), 1);
  EXPECT_TRUE(entry.has_fired());
}

TEST_P(driver, after_shutdown_nothing_waits) {
  driver_->shutdown();
  auto [left, right] = make_socketpair();
  {
    const auto source = make_ref<IoSource>(left.release());
    CountedContext context;
    IoSource::Waiter waiter(*source);
    source->clear(Direction::read, source->snapshot(Direction::read));
    const auto refused = source->wait_ready(Direction::read, waiter, context.waker());
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error(), std::errc::operation_canceled);
  }
  EXPECT_TRUE(sees_end(right));
  TimerEntry entry;
  CountedContext context;
  driver_->arm_timer(entry, seam::now() + 1h, context.waker());
  EXPECT_TRUE(entry.has_fired());
  EXPECT_EQ(context.wakes(), 1);
  driver_->cancel_timer(entry);
}

TEST_P(driver, shutdown_closes_what_waits_for_the_kernel) {
  auto [left, right] = make_socketpair();
  {
    const auto source = make_ref<IoSource>(left.release());
    CountedContext context;
    IoSource::Waiter waiter(*source);
    ASSERT_TRUE(wait(*source, Direction::read, waiter, context));
    driver_->look();
  }
  driver_->shutdown();
  driver_ = nullptr;
  Driver::set_current(nullptr);
  EXPECT_TRUE(sees_end(right));
}

INSTANTIATE_TEST_SUITE_P(on, driver,
                         testing::Values(BackendUnderTest{"io_uring", "io_uring", [] { return make_ring_poller(); }},
                                         BackendUnderTest{"io_uring_tiny_queues", "io_uring",
                                                          [] { return make_ring_poller(RingSizes(1, 1)); }},
                                         BackendUnderTest{"epoll", "epoll", [] { return make_epoll_poller(); }}),
                         [](const auto& parameter) { return std::string(parameter.param.test); });

TEST(driver_death_test, current_without_a_runtime_says_so) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(Driver::current(), "there is no runtime on this thread.*block_on");
}

}  // namespace
}  // namespace skua::reactor
