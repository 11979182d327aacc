// Operations, lists of them, and the ring that does them, driven by hand.
#include <skua/core/io_memory.hpp>
#include <skua/core/kernel.hpp>
#include <skua/core/random.hpp>
#include <skua/reactor/driver.hpp>
#include <skua/reactor/operation.hpp>
#include <skua/reactor/operation_ring.hpp>

#include "../support/probe.hpp"
#include "ring_seam.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/io_uring.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace skua::reactor {

using namespace tests;
using namespace std::chrono_literals;

namespace {

// --- Operation ------------------------------------------------------------------------------------------------------

/// Notes what is discarded.
class Noted : public Operation {
 public:
  explicit Noted(std::vector<int>* discarded = nullptr) : discarded_(discarded) {}
  int perform() noexcept override { return 0; }

 private:
  void discard(int result) noexcept override {
    if (discarded_ != nullptr) discarded_->push_back(result);
  }
  std::vector<int>* const discarded_;
};

constexpr int none = 1'000'000;
/// What the operation was completed with; `none` if it was not.
int result_now(Operation& operation) {
  CountedContext context;
  Poll<int> result = operation.poll(context.waker());
  return result.is_ready() ? result.value() : none;
}

TEST(operation, poll_sees_the_result_once_completed) {
  CountedContext context;
  auto operation = make_ref<Noted>();
  EXPECT_TRUE(operation->poll(context.waker()).is_pending());
  operation->complete(7);
  EXPECT_EQ(context.wakes(), 1);
  EXPECT_EQ(result_now(*operation), 7);
}

TEST(operation, waker_of_the_last_poll_alone_is_woken) {
  CountedContext first;
  CountedContext second;
  auto operation = make_ref<Noted>();
  EXPECT_TRUE(operation->poll(first.waker()).is_pending());
  EXPECT_TRUE(operation->poll(second.waker()).is_pending());
  operation->complete(0);
  EXPECT_EQ(first.wakes(), 0);
  EXPECT_EQ(second.wakes(), 1);
}

TEST(operation, result_that_nobody_takes_is_discarded_once_in_every_order) {
  CountedContext context;
  std::vector<int> discarded;
  {
    auto operation = make_ref<Noted>(&discarded);
    EXPECT_TRUE(operation->poll(context.waker()).is_pending());
    EXPECT_TRUE(operation->abandon());
    EXPECT_TRUE(discarded.empty());
    operation->complete(1);
  }
  EXPECT_EQ(discarded, std::vector<int>{1});
  {
    auto operation = make_ref<Noted>(&discarded);
    operation->complete(2);
    EXPECT_FALSE(operation->abandon());
  }
  EXPECT_EQ(discarded, (std::vector<int>{1, 2}));
  EXPECT_EQ(context.wakes(), 0) << "who has abandoned it is not woken";
}

TEST(operation, result_that_was_taken_is_not_discarded) {
  CountedContext context;
  std::vector<int> discarded;
  auto operation = make_ref<Noted>(&discarded);
  operation->complete(3);
  EXPECT_EQ(result_now(*operation), 3);
  EXPECT_FALSE(operation->abandon());
  EXPECT_TRUE(discarded.empty());
}

TEST(operation, completed_and_abandoned_at_once_it_is_discarded_once) {
  for (int i = 0; i < scaled(2000, 200); ++i) {
    std::vector<int> discarded;
    CountedContext context;
    auto operation = make_ref<Noted>(&discarded);
    EXPECT_TRUE(operation->poll(context.waker()).is_pending());
    std::thread executor([operation, i] { operation->complete(i); });
    std::ignore = operation->abandon();
    executor.join();
    ASSERT_EQ(discarded, std::vector<int>{i});
  }
}

// --- OperationList --------------------------------------------------------------------------------------------------

TEST(operation_list, first_in_first_out) {
  OperationList list;
  EXPECT_TRUE(list.is_empty());
  const auto a = make_ref<Noted>();
  const auto b = make_ref<Noted>();
  list.push(a);
  list.push(b);
  EXPECT_EQ(list.pop().get(), a.get());
  EXPECT_EQ(list.pop().get(), b.get());
  EXPECT_FALSE(list.pop());
  EXPECT_TRUE(list.is_empty());
}

TEST(operation_list, removes_from_front_middle_and_back) {
  for (int out = 0; out < 3; ++out) {
    OperationList list;
    std::vector<Ref<Noted>> made;
    for (int i = 0; i < 3; ++i) list.push(made.emplace_back(make_ref<Noted>()));
    EXPECT_TRUE(list.remove(*made[static_cast<std::size_t>(out)]));
    EXPECT_FALSE(list.remove(*made[static_cast<std::size_t>(out)])) << "it is not in there any more";
    for (int i = 0; i < 3; ++i) {
      if (i != out) {
        EXPECT_EQ(list.pop().get(), made[static_cast<std::size_t>(i)].get());
      }
    }
    EXPECT_TRUE(list.is_empty());
  }
}

TEST(operation_list, operation_of_another_list_is_left_there) {
  OperationList one;
  OperationList other;
  const auto operation = make_ref<Noted>();
  one.push(operation);
  EXPECT_FALSE(other.remove(*operation));
  EXPECT_EQ(one.pop().get(), operation.get());
}

// The future asks the executor that it submitted to, while the operation may have gone on to another one.
TEST(operation_list, may_be_asked_about_an_operation_that_moves_between_others) {
  OperationList asked;
  const auto operation = make_ref<Noted>();
  std::atomic<bool> done{false};
  std::thread mover([&] {
    OperationList one;
    OperationList other;
    for (int i = 0; i < 10'000; ++i) {
      one.push(operation);
      other.push(one.pop());
      std::ignore = other.pop();
    }
    done = true;
  });
  while (!done) ASSERT_FALSE(asked.remove(*operation));
  mover.join();
}

// --- OperationRing --------------------------------------------------------------------------------------------------

/// A thread pool of none: does it in submit(), and counts.
class InPlace final : public OperationExecutor {
 public:
  OperationExecutor& submit(Ref<Operation> operation) noexcept override {
    submitted.fetch_add(1);
    if (holds) {
      held.push(std::move(operation));
    } else {
      operation->complete(operation->perform());
    }
    return *this;
  }
  void cancel(Operation& operation) noexcept override {
    if (const Ref<Operation> found = held.remove(operation)) found->complete(-ECANCELED);
  }
  void shutdown() override {
    while (const Ref<Operation> operation = held.pop()) operation->complete(-ECANCELED);
  }
  std::atomic<int> submitted{0};
  bool holds = false;
  OperationList held;
};

struct Tally {
  std::atomic<int> completed{0};  // and not abandoned before
  std::atomic<int> discarded{0};
  std::atomic<int> destroyed{0};
};

/// Reads into a block of its own.
class Read final : public Operation {
 public:
  Read(Tally& tally, int fd, std::uint64_t offset, std::uint32_t size)
      : tally_(tally), fd_(fd), offset_(offset), size_(size), block_(io_memory::allocate(size)) {}
  ~Read() override {
    io_memory::release(block_, size_);
    tally_.destroyed.fetch_add(1);
  }
  std::optional<Submission> submission() noexcept override {
    return Submission{.opcode = IORING_OP_READ,
                      .fd = fd_,
                      .off = offset_,
                      .addr = reinterpret_cast<std::uintptr_t>(block_),
                      .len = size_};
  }
  int perform() noexcept override { return static_cast<int>(kernel::pread(fd_, block_, size_, offset_)); }
  const char* bytes() const { return static_cast<const char*>(block_); }
  std::uint64_t offset() const { return offset_; }

 private:
  void discard(int) noexcept override { tally_.discarded.fetch_add(1); }
  Tally& tally_;
  const int fd_;
  const std::uint64_t offset_;
  const std::uint32_t size_;
  void* const block_;
};

/// Opens a path; what nobody waits for is closed. With O_CREAT a thread of the kernel does it, and waits in a FIFO
/// (else the kernel tries O_NONBLOCK first, and does not).
class Open final : public Operation {
 public:
  explicit Open(std::string path) : path_(std::move(path)) {}
  std::optional<Submission> submission() noexcept override {
    return Submission{.opcode = IORING_OP_OPENAT,
                      .fd = AT_FDCWD,
                      .addr = reinterpret_cast<std::uintptr_t>(path_.c_str()),
                      .op_flags = static_cast<std::uint32_t>(flags_)};
  }
  int perform() noexcept override { return kernel::open(path_.c_str(), flags_); }

 private:
  void discard(int result) noexcept override {
    if (result >= 0) kernel::close(result);
  }
  static constexpr int flags_ = O_RDONLY | O_CREAT | O_CLOEXEC;
  const std::string path_;
};

/// Writes `size` zeros at `offset`.
class Write final : public Operation {
 public:
  Write(int fd, std::uint64_t offset, std::uint32_t size) : fd_(fd), offset_(offset), bytes_(size, '\0') {}
  std::optional<Submission> submission() noexcept override {
    return Submission{.opcode = IORING_OP_WRITE,
                      .fd = fd_,
                      .off = offset_,
                      .addr = reinterpret_cast<std::uintptr_t>(bytes_.data()),
                      .len = static_cast<std::uint32_t>(bytes_.size())};
  }
  int perform() noexcept override {
    return static_cast<int>(kernel::pwrite(fd_, bytes_.data(), bytes_.size(), offset_));
  }

 private:
  const int fd_;
  const std::uint64_t offset_;
  const std::string bytes_;
};

Ref<Read> make_read(Tally& tally, int fd, std::uint64_t offset) { return make_ref<Read>(tally, fd, offset, 64U); }
Ref<Write> make_write(int fd, std::uint64_t offset) { return make_ref<Write>(fd, offset, 100U); }

struct RingSize {
  const char* name;
  unsigned submission;
  unsigned completion;
};

class operation_ring : public testing::TestWithParam<RingSize> {
 protected:
  void SetUp() override {
    ring_script = {};
    std::string name = (std::filesystem::temp_directory_path() / "skua-operation-test-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    fd_ = ::open((directory_ / "a").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_GE(fd_, 0);
    for (std::uint32_t i = 0; i < file_size / sizeof i; ++i) ASSERT_EQ(::write(fd_, &i, sizeof i), ssize_t{sizeof i});
    auto poller = make_ring_poller();
    if (!poller) GTEST_SKIP() << "io_uring is refused here: " << poller.error().message();
    driver_ = make_ref<Driver>(*std::move(poller));
    OperationRingOptions options;
    options.submission_entries = GetParam().submission;
    options.completion_entries = GetParam().completion;
    ring_ = make_operation_ring(options, threads_, *driver_);
    driver_->set_operations(ring_);
    before_ = Driver::set_current(driver_.get());
  }
  void TearDown() override {
    shut_down();
    if (fd_ >= 0) ::close(fd_);
    std::filesystem::remove_all(directory_);
    EXPECT_EQ(ring_script.submissions_to_refuse, 0) << "the script has been played to its end";
  }
  void shut_down() {
    if (!driver_) return;
    Driver::set_current(before_);
    ring_->shutdown();
    threads_->shutdown();
    driver_->shutdown();
    driver_ = nullptr;
  }

  template <class Condition>
  [[nodiscard]] bool park_until(Condition condition) {
    const Instant end = seam::now() + watchdog;
    while (!condition()) {
      if (seam::now() >= end) return false;
      driver_->park(std::min(end, seam::now() + 100ms));
    }
    return true;
  }
  /// Parks until the operation is done; returns its result, or `none`.
  int result_of(Operation& operation) {
    CountedContext context;
    Poll<int> result = pending;
    if (!park_until([&] { return (result = operation.poll(context.waker())).is_ready(); })) return none;
    return result.value();
  }
  bool is_right(const Read& read, int result) const {
    std::uint32_t first = 0;
    std::memcpy(&first, read.bytes(), sizeof first);
    return result == 64 && first == read.offset() / sizeof first;
  }

  static constexpr std::uint64_t file_size = 64 * 1024;
  std::filesystem::path directory_;
  int fd_ = -1;
  Ref<InPlace> threads_ = make_ref<InPlace>();
  Ref<Driver> driver_;
  Ref<OperationExecutor> ring_;
  Driver* before_ = nullptr;
};
INSTANTIATE_TEST_SUITE_P(of, operation_ring, testing::Values(RingSize{"usual", 64, 512}, RingSize{"tiny", 2, 4}),
                         [](const auto& size) { return size.param.name; });

TEST_P(operation_ring, many_operations_bring_the_right_bytes) {
  Tally tally;
  seam::Random random(1);
  const int rounds = io_memory::is_protected() ? 100 : scaled(1000, 50);
  for (int round = 0; round < rounds; ++round) {
    std::vector<Ref<Read>> reads;
    for (int i = 0; i < 100; ++i) {
      reads.push_back(make_read(tally, fd_, 4 * random.below(file_size / 4 - 16)));
      ring_->submit(reads.back());
    }
    for (const auto& read : reads) ASSERT_TRUE(is_right(*read, result_of(*read)));
  }
  EXPECT_EQ(threads_->submitted, 0);
}

TEST_P(operation_ring, submitted_and_cancelled_by_several_threads_each_ends_once) {
  Tally tally;
  std::atomic<int> kept{0};
  std::atomic<int> wrong{0};
  std::atomic<int> running{3};
  const int count = io_memory::is_protected() ? 5'000 : scaled(30'000, 2'000);  // protection costs system calls
  std::vector<std::thread> threads;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    threads.emplace_back([&, seed] {
      Driver::set_current(driver_.get());
      seam::Random random(seed);
      std::vector<Ref<Read>> waited_for;
      CountedContext context;
      for (int i = 0; i < count; ++i) {
        auto read = make_read(tally, fd_, 4 * random.below(file_size / 4 - 16));
        ring_->submit(read);
        if (random.below(2) == 0) {
          if (read->abandon()) ring_->cancel(*read);
        } else {
          waited_for.push_back(std::move(read));
        }
        if (waited_for.size() < 50 && i + 1 < count) continue;
        for (const auto& one : waited_for) {
          Poll<int> result = pending;
          const bool came = eventually([&] { return (result = one->poll(context.waker())).is_ready(); });
          if (!came || !is_right(*one, result.value())) wrong.fetch_add(1);
          kept.fetch_add(1);
        }
        waited_for.clear();
      }
      running.fetch_sub(1);
    });
  }
  while (running != 0) driver_->park(seam::now() + 100ms);  // the threads have a limit for each of their waits
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_TRUE(park_until([&] { return tally.destroyed == 3 * count; })) << tally.destroyed;
  EXPECT_EQ(kept + tally.discarded, 3 * count);
  EXPECT_EQ(ring_faults, 0);
}

// A thread of the pool that lets go of a file last has it closed, perhaps by a ring that nobody has used yet.
TEST_P(operation_ring, the_first_operation_may_come_from_a_thread_without_a_driver) {
  Tally tally;
  const auto read = make_read(tally, fd_, 400);
  std::thread([&] { ring_->submit(read); }).join();
  EXPECT_TRUE(is_right(*read, result_of(*read)));
  EXPECT_EQ(threads_->submitted, 0);
}

TEST_P(operation_ring, what_the_ring_cannot_do_threads_do) {
  class Plain final : public Operation {
   public:
    int perform() noexcept override { return 17; }
  };
  const auto operation = make_ref<Plain>();
  EXPECT_EQ(&ring_->submit(operation), threads_.get());
  EXPECT_EQ(result_of(*operation), 17);
}

TEST_P(operation_ring, refused_ring_leaves_everything_to_threads) {
  ring_script.set_up_error = -EPERM;
  Tally tally;
  const auto read = make_read(tally, fd_, 400);
  ring_->submit(read);
  EXPECT_TRUE(is_right(*read, result_of(*read)));
  EXPECT_EQ(threads_->submitted, 1);
}

TEST_P(operation_ring, kernel_that_takes_nothing_is_asked_again) {
  Tally tally;
  for (const int error : {-EAGAIN, -EBUSY, -EINTR, -ENOMEM, 0}) {
    ring_script.submit_error = error;
    ring_script.submissions_to_refuse = 20;
    std::vector<Ref<Read>> reads;
    for (std::uint64_t i = 0; i < 20; ++i) {
      reads.push_back(make_read(tally, fd_, i * 40));
      ring_->submit(reads.back());
    }
    for (const auto& read : reads) EXPECT_TRUE(is_right(*read, result_of(*read))) << error;
    EXPECT_EQ(ring_script.submissions_to_refuse, 0) << "nothing was refused, and nothing tested";
  }
  EXPECT_EQ(threads_->submitted, 0);
}

TEST_P(operation_ring, kernel_that_refuses_for_good_leaves_them_to_threads) {
  Tally tally;
  std::vector<Ref<Read>> reads;
  for (std::uint64_t i = 0; i < 3; ++i) {
    reads.push_back(make_read(tally, fd_, i * 40));
    ring_->submit(reads.back());
  }
  ring_script.submit_error = -EPERM;
  ring_script.submissions_to_refuse = 1;
  for (std::uint64_t i = 3; i < 20; ++i) {
    reads.push_back(make_read(tally, fd_, i * 40));
    ring_->submit(reads.back());
  }
  for (const auto& read : reads) EXPECT_TRUE(is_right(*read, result_of(*read)));
  EXPECT_EQ(threads_->submitted, 17);
}

TEST_P(operation_ring, operation_that_went_to_threads_can_be_cancelled_there) {
  Tally tally;
  threads_->holds = true;
  ring_script.submit_error = -EPERM;
  ring_script.submissions_to_refuse = 1;
  const auto read = make_read(tally, fd_, 0);
  OperationExecutor& executor = ring_->submit(read);
  EXPECT_EQ(threads_->submitted, 1);
  ASSERT_TRUE(read->abandon());
  executor.cancel(*read);
  EXPECT_EQ(tally.discarded, 1);
}

TEST_P(operation_ring, cancelled_while_the_kernel_takes_nothing) {
  Tally tally;
  ring_script.submit_error = -EAGAIN;
  ring_script.submissions_to_refuse = 12;
  for (std::uint64_t i = 0; i < 10; ++i) {
    const auto read = make_read(tally, fd_, i * 40);
    ring_->submit(read);
    if (read->abandon()) ring_->cancel(*read);
  }
  EXPECT_TRUE(park_until([&] { return tally.destroyed == 10; }));
  EXPECT_EQ(tally.discarded, 10);
}

// -512 is the kernel's own word for "call it again", which completions show.
TEST_P(operation_ring, operation_that_was_disturbed_is_done_again) {
  for (const int result : {-ECANCELED, -EINTR, -512}) {
    Tally tally;
    ring_script.result = result;
    ring_script.results_to_replace = 3;
    const auto read = make_read(tally, fd_, 400);
    ring_->submit(read);
    EXPECT_TRUE(is_right(*read, result_of(*read))) << result;
    EXPECT_EQ(ring_script.results_to_replace, 0);
  }
}

TEST_P(operation_ring, operation_that_is_always_disturbed_ends) {
  for (const int result : {-EINTR, -512}) {
    Tally tally;
    ring_script.result = result;
    ring_script.results_to_replace = 1000;
    const auto read = make_read(tally, fd_, 400);
    ring_->submit(read);
    EXPECT_EQ(result_of(*read), -ECANCELED);
  }
}

TEST_P(operation_ring, thread_that_ends_leaves_its_operations_in_flight) {
  ASSERT_EQ(::mkfifo((directory_ / "fifo").c_str(), 0600), 0);
  Ref<Open> open = make_ref<Open>((directory_ / "fifo").string());
  std::thread submitter([&] {
    Driver::set_current(driver_.get());
    ring_->submit(open);
    std::this_thread::sleep_for(20ms);  // so that it waits in the kernel
  });
  submitter.join();
  CountedContext context;
  for (int i = 0; i < 5; ++i) {
    driver_->park(seam::now() + 5ms);
    ASSERT_TRUE(open->poll(context.waker()).is_pending()) << result_now(*open);
  }
  std::thread other_end([&] {
    const int fd = ::open((directory_ / "fifo").c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_GE(fd, 0);
    ::close(fd);
  });
  const int fd = result_of(*open);
  EXPECT_GE(fd, 0);
  if (fd >= 0) ::close(fd);
  other_end.join();
}

// --- Shutdown

TEST_P(operation_ring, shutdown_ends_what_waits_for_ever) {
  ASSERT_EQ(::mkfifo((directory_ / "fifo").c_str(), 0600), 0);
  std::vector<Ref<Open>> opens;
  for (int i = 0; i < 20; ++i) {
    opens.push_back(make_ref<Open>((directory_ / "fifo").string()));
    ring_->submit(opens.back());
  }
  driver_->park(seam::now() + 5ms);
  shut_down();
  CountedContext context;
  for (const auto& open : opens) EXPECT_EQ(result_now(*open), -ECANCELED);
}

TEST_P(operation_ring, shutdown_asks_again_when_the_kernel_takes_no_cancellation) {
  ASSERT_EQ(::mkfifo((directory_ / "fifo").c_str(), 0600), 0);
  const auto open = make_ref<Open>((directory_ / "fifo").string());
  ring_->submit(open);
  driver_->park(seam::now() + 5ms);
  ring_script.submit_error = -EBUSY;
  ring_script.submissions_to_refuse = 3;
  shut_down();
  CountedContext context;
  EXPECT_EQ(result_now(*open), -ECANCELED);
}

TEST_P(operation_ring, shutdown_with_operations_that_the_kernel_never_took) {
  Tally tally;
  ring_script.submit_error = -EAGAIN;
  ring_script.submissions_to_refuse = 10'000;
  std::vector<Ref<Read>> reads;
  for (std::uint64_t i = 0; i < 1 + GetParam().completion; ++i) {
    reads.push_back(make_read(tally, fd_, i * 4));
    ring_->submit(reads.back());
  }
  ring_script.submissions_to_refuse = 0;
  shut_down();
  CountedContext context;
  for (const auto& read : reads) ASSERT_EQ(result_now(*read), -ECANCELED);
}

TEST_P(operation_ring, submitted_after_shutdown_it_is_cancelled) {
  Tally tally;
  const auto executor = ring_;
  shut_down();
  const auto read = make_read(tally, fd_, 0);
  executor->submit(read);
  executor->cancel(*read);
  CountedContext context;
  EXPECT_EQ(result_now(*read), -ECANCELED);
}

TEST_P(operation_ring, nothing_is_left_open) {
  TearDown();
  fd_ = -1;
  ring_ = nullptr;
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    Tally tally;
    SetUp();
    auto read = make_read(tally, fd_, 0);
    ring_->submit(read);
    EXPECT_TRUE(is_right(*read, result_of(*read)));
    TearDown();
    fd_ = -1;
    ring_ = nullptr;
  }
  EXPECT_LE(open_descriptors(), before);
}

// --- Signals

TEST_P(operation_ring, write_beyond_the_limit_of_file_sizes_is_an_error) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit small{file_size, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto write = make_write(fd_, file_size);  // on this thread, which lets signals through
  ring_->submit(write);
  EXPECT_EQ(result_of(*write), -EFBIG);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  sigset_t pending_signals;
  sigpending(&pending_signals);
  EXPECT_EQ(sigismember(&pending_signals, SIGXFSZ), 0);
}

TEST_P(operation_ring, write_that_nobody_reads_is_an_error) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ::close(ends[0]);
  const auto write = make_write(ends[1], 0);
  ring_->submit(write);
  EXPECT_EQ(result_of(*write), -EPIPE);
  ::close(ends[1]);
}

}  // namespace
}  // namespace skua::reactor
