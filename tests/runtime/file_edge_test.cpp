// Files at the edges: strange files, strange arguments, limits, ends of runtimes.
#include "each_runtime.hpp"

#include <skua/fs/file.hpp>
#include <skua/fs/paths.hpp>
#include <skua/fs/read_directory.hpp>
#include <skua/fs/temporary.hpp>
#include <skua/fs/whole_files.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace skua::tests {
namespace {

using namespace std::chrono_literals;

std::string contents(const fs::Path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}
void put(const fs::Path& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }
std::string message(const auto& result) { return result ? std::string("no error") : result.error().message(); }
std::uint32_t permissions_of(const fs::Path& path) {
  struct stat status{};
  ::stat(path.c_str(), &status);
  return status.st_mode & 07777U;
}
bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

class FileEdges : public EachRuntime {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "skua-file-edge-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    EachRuntime::SetUp();
  }
  void TearDown() override {
    runtime_.reset();
    std::filesystem::remove_all(directory_);
  }
  fs::Path at(const char* name) const { return directory_ / name; }
  fs::Path directory_;
};
INSTANTIATE_TEST_SUITE_P(on, FileEdges, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

fs::OpenOptions both_ways() { return fs::OpenOptions().read(true).write(true).create(true); }
Task<Result<fs::File>> open_both_ways(fs::Path path) { co_return co_await fs::File::open(path, both_ways()); }

// --- Arguments

Task<Result<std::string>> read_after_empty_parts(fs::Path path, std::size_t empty) {
  fs::File file = co_await try_(fs::File::open(path));
  std::string text(5, '-');
  std::vector<iovec> parts(empty, iovec{text.data(), 0});
  parts.push_back({text.data(), text.size()});
  const std::size_t count = co_await try_(file.read_vectored_at(parts, 0));
  co_return text.substr(0, count);
}

TEST_P(FileEdges, empty_parts_are_not_the_end_of_the_file) {
  put(at("a"), "hello");
  for (const std::size_t empty : {1U, 16U, 17U, 2000U}) {
    EXPECT_EQ(run(read_after_empty_parts(at("a"), empty)).value(), "hello") << empty;
  }
}

Task<Result<std::size_t>> write_many_parts(fs::Path path, std::size_t count) {
  fs::File file = co_await try_(fs::File::create(path));
  std::string text(count, 'x');
  std::vector<iovec> parts;
  for (char& byte : text) parts.push_back({&byte, 1});
  co_return co_await file.write_vectored_at(parts, 0);
}

TEST_P(FileEdges, more_parts_than_the_kernel_takes) {
  EXPECT_EQ(run(write_many_parts(at("a"), 3000)).value(), 3000U);
  EXPECT_EQ(contents(at("a")), std::string(3000, 'x'));
}

Task<Result<std::size_t>> read_at_offset(fs::Path path, std::uint64_t offset, std::size_t size) {
  fs::File file = co_await try_(fs::File::open(path));
  std::string buffer(size, '\0');
  co_return co_await file.read_at(buffer, offset);
}
Task<Result<std::size_t>> write_at_offset(fs::Path path, std::uint64_t offset) {
  fs::File file = co_await try_(open_both_ways(path));
  co_return co_await file.write_at("x", offset);
}
Task<Result<void>> set_size_of(fs::Path path, std::uint64_t size) {
  fs::File file = co_await try_(open_both_ways(path));
  co_return co_await file.set_size(size);
}

// To the kernel, an offset of -1 is "where the file stands".
TEST_P(FileEdges, offsets_without_meaning_are_refused) {
  put(at("a"), "hello");
  for (const std::uint64_t offset : {std::numeric_limits<std::uint64_t>::max(), std::uint64_t{1} << 63}) {
    EXPECT_TRUE(run(read_at_offset(at("a"), offset, 5)).error() == std::errc::invalid_argument);
    EXPECT_TRUE(run(write_at_offset(at("a"), offset)).error() == std::errc::invalid_argument);
    EXPECT_TRUE(run(set_size_of(at("a"), offset)).error() == std::errc::invalid_argument);
  }
  EXPECT_EQ(contents(at("a")), "hello");
}

TEST_P(FileEdges, long_reads_are_short) {
  put(at("a"), std::string(3 << 20, 'x'));
  const std::size_t count = run(read_at_offset(at("a"), 0, 3 << 20)).value();
  EXPECT_GE(count, 1U);
  EXPECT_LE(count, std::size_t{1} << 20);
}

TEST_P(FileEdges, names_are_bytes) {
  const std::string name = "new\nline \xff\xfe\x80";
  ASSERT_TRUE(run(fs::write_file(directory_ / name, "x")));
  auto list = [](fs::Path path) -> Task<Result<std::set<std::string>>> {
    fs::ReadDirectory directory = co_await try_(fs::ReadDirectory::open(path));
    std::set<std::string> names;
    while (auto entry = co_await try_(directory.next())) names.insert(entry->name);
    co_return names;
  };
  EXPECT_EQ(run(list(directory_)).value(), std::set<std::string>{name});
  EXPECT_EQ(run(fs::read_to_string(directory_ / name)).value(), "x");
}

// --- Strange files

Task<Result<std::string>> through_a_pipe(int read_end, int write_end) {
  fs::File reader{OwnedFd(read_end), "pipe"};
  fs::File writer{OwnedFd(write_end), "pipe"};
  co_await try_(writer.write_all("hello"));
  std::array<char, 16> buffer;
  const std::size_t count = co_await try_(reader.read(buffer));
  co_return std::string(buffer.data(), count);
}

TEST_P(FileEdges, pipe_has_no_offsets_and_is_read_and_written) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  EXPECT_EQ(run(through_a_pipe(ends[0], ends[1])).value(), "hello");
}

Task<Result<std::size_t>> write_to_nobody(int write_end) {
  fs::File writer{OwnedFd(write_end), "pipe"};
  co_return co_await writer.write("x");
}

TEST_P(FileEdges, pipe_that_nobody_reads_is_an_error_and_no_signal) {
  for (const bool on_worker : {true, false}) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    ::close(ends[0]);
    auto written = on_worker ? run(write_to_nobody(ends[1])) : runtime_->block_on(write_to_nobody(ends[1]));
    ASSERT_FALSE(written);
    EXPECT_TRUE(written.error() == std::errc::broken_pipe);
  }
}

TEST_P(FileEdges, devices_and_proc) {
  EXPECT_EQ(run(read_at_offset("/dev/zero", 0, 100)).value(), 100U);
  EXPECT_EQ(run(read_at_offset("/dev/null", 0, 100)).value(), 0U);
  EXPECT_GT(run(read_at_offset("/proc/self/stat", 0, 100)).value(), 0U);
  EXPECT_GT(run(read_at_offset("/proc/self/stat", 5, 100)).value(), 0U);
}

// --- Limits

Task<Result<std::size_t>> write_beyond(fs::Path path, std::uint64_t offset) {
  fs::File file = co_await try_(open_both_ways(path));
  co_return co_await file.write_at("0123456789", offset);
}

TEST_P(FileEdges, limit_of_file_sizes_is_an_error_and_no_signal) {
  put(at("a"), std::string(4096, 'x'));
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit small{4096, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto on_worker = run(write_beyond(at("a"), 4096));
  const auto outside = runtime_->block_on(write_beyond(at("a"), 4096));  // by a thread that lets signals through
  const auto in_part = runtime_->block_on(write_beyond(at("a"), 4092));
  const auto larger = runtime_->block_on(set_size_of(at("a"), 10'000));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  EXPECT_TRUE(!on_worker && on_worker.error() == std::errc::file_too_large) << message(on_worker);
  EXPECT_TRUE(!outside && outside.error() == std::errc::file_too_large) << message(outside);
  EXPECT_EQ(in_part.value(), 4U);
  EXPECT_TRUE(!larger && larger.error() == std::errc::file_too_large) << message(larger);
}

// --- Closing

Task<bool> is_closed_after(fs::Path path, int kind) {
  auto opened = co_await open_both_ways(path);
  int fd = -1;
  {
    fs::File file = std::move(opened).value();
    fd = file.native_handle();
    std::array<char, 8> buffer;
    switch (kind) {
      case 0: std::ignore = co_await file.write_at("x", 0); break;
      case 1: std::ignore = co_await file.read_at(buffer, 0); break;
      case 2: std::ignore = co_await file.metadata(); break;
      case 3: std::ignore = co_await file.sync_data(); break;
      case 4: std::ignore = co_await file.set_size(3); break;
      default: std::ignore = co_await file.write("x"); break;
    }
  }
  co_return !is_open(fd);
}

// To be executed, unlocked or renamed at once; not when the thread that completed the operation has let go of it.
TEST_P(FileEdges, dropped_after_its_operations_it_is_closed_at_once) {
  for (int i = 0; i < scaled(300, 60); ++i) ASSERT_TRUE(run(is_closed_after(at("a"), i % 6))) << i;
}

/// Gives up a read that waits for bytes.
Task<> drop_a_read(fs::File& file) {
  std::array<char, 8> buffer;
  auto read = co_await timeout(20ms, file.read(buffer));
  if (read) throw std::runtime_error("there was nothing to read");
}
Task<Result<void>> close(fs::File file) { co_return co_await std::move(file).close(); }

TEST_P(FileEdges, close_waits_for_an_operation_that_was_dropped) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  fs::File file(OwnedFd(ends[0]), "pipe");
  run(drop_a_read(file));
  auto closing = runtime_->spawn(close(std::move(file)));
  if (GetParam().backend == Backend::epoll) {
    // A thread is reading: were the descriptor closed, it would read from whatever gets its number.
    std::this_thread::sleep_for(20ms);
    EXPECT_TRUE(is_open(ends[0]));
    EXPECT_FALSE(closing.is_finished());
    EXPECT_EQ(::write(ends[1], "x", 1), 1);
  }  // and io_uring ends the read that was dropped
  auto closed = await_within(closing);
  ASSERT_TRUE(closed);
  EXPECT_TRUE(closed->value()) << message(closed->value());
  EXPECT_FALSE(is_open(ends[0]));
  ::close(ends[1]);
}

TEST_P(FileEdges, close_that_is_dropped_closes) {
  auto closes = [](fs::Path path) -> Task<int> {
    fs::File file = (co_await open_both_ways(path)).value();
    const int fd = file.native_handle();
    std::ignore = co_await timeout(0ms, close(std::move(file)));
    co_return fd;
  };
  const int fd = run(closes(at("a")));
  EXPECT_TRUE(eventually([&] { return !is_open(fd); }));
}

// --- The cursor

Task<Result<void>> append_twice(fs::Path path) {
  fs::File file = co_await try_(fs::File::open(path, fs::OpenOptions().append(true)));
  co_await try_(file.write_all("two "));
  co_await try_(file.seek(0));
  co_await try_(file.write_all("three"));
  co_return {};
}

TEST_P(FileEdges, appending_ignores_the_position) {
  put(at("a"), "one ");
  ASSERT_TRUE(run(append_twice(at("a"))));
  EXPECT_EQ(contents(at("a")), "one two three");
}

Task<Result<std::string>> write_drop_move_write(fs::Path path) {
  fs::File file = co_await try_(fs::File::create(path));
  const std::string many(100'000, 'a');
  {
    auto first = file.write(many);
    std::ignore = co_await timeout(0ms, std::move(first));
  }
  fs::File moved = std::move(file);
  co_await try_(moved.write_all("b"));
  co_await try_(std::move(moved).close());
  co_return std::string("done");
}

TEST_P(FileEdges, moved_with_a_write_unfinished_it_goes_on_after_that) {
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(run(write_drop_move_write(at("a"))));
    const std::string found = contents(at("a"));
    EXPECT_TRUE(found == "b" || found == std::string(100'000, 'a') + "b") << found.size();
  }
}

// --- Whole files

TEST_P(FileEdges, write_atomically_keeps_permissions_and_replaces_a_link) {
  put(at("old"), "old");
  ::chmod(at("old").c_str(), 0751);
  ASSERT_TRUE(run(fs::write_file_atomically(at("old"), "new")));
  EXPECT_EQ(contents(at("old")), "new");
  EXPECT_EQ(permissions_of(at("old")), 0751U);

  put(at("plain"), "");
  ASSERT_TRUE(run(fs::write_file_atomically(at("fresh"), "new")));
  EXPECT_EQ(permissions_of(at("fresh")), permissions_of(at("plain"))) << "as any new file";

  std::filesystem::create_symlink("old", at("link"));
  ASSERT_TRUE(run(fs::write_file_atomically(at("link"), "newer")));
  EXPECT_FALSE(std::filesystem::is_symlink(at("link")));
  EXPECT_EQ(contents(at("old")), "new");
  EXPECT_EQ(contents(at("link")), "newer");

  EXPECT_FALSE(run(fs::write_file_atomically(directory_, "x")));
  EXPECT_FALSE(run(fs::write_file_atomically(at("missing") / "x", "x")));
  EXPECT_EQ(entries_of(directory_.c_str()), 4U) << "no temporary file is left";
}

TEST_P(FileEdges, copy_of_what_is_no_plain_file) {
  std::filesystem::create_directory(at("directory"));
  put(at("a"), "hello");
  EXPECT_TRUE(run(fs::copy_file(at("directory"), at("copy"))).error() == std::errc::is_a_directory);
  EXPECT_FALSE(std::filesystem::exists(at("copy")));
  EXPECT_TRUE(run(fs::copy_file(at("a"), at("directory"))).error() == std::errc::is_a_directory);
  EXPECT_FALSE(run(fs::copy_file(at("a"), "/dev/null"))) << "and its permissions stay";
  put(at("target"), "what was there is longer");
  std::filesystem::create_symlink("target", at("link"));
  EXPECT_EQ(run(fs::copy_file(at("a"), at("link"))).value(), 5U);
  EXPECT_TRUE(std::filesystem::is_symlink(at("link")));
  EXPECT_EQ(contents(at("target")), "hello");
  put(at("empty"), "");
  EXPECT_EQ(run(fs::copy_file(at("empty"), at("target"))).value(), 0U);
  EXPECT_EQ(contents(at("target")), "");
}

TEST_P(FileEdges, copy_of_a_sparse_file_and_to_another_file_system) {
  put(at("a"), "begin");
  ASSERT_EQ(::truncate(at("a").c_str(), 20 << 20), 0);
  std::ofstream(at("a"), std::ios::binary | std::ios::app) << "end";
  const std::string bytes = contents(at("a"));
  EXPECT_EQ(run(fs::copy_file(at("a"), at("b"))).value(), bytes.size());
  EXPECT_TRUE(contents(at("b")) == bytes);
  struct stat here{};
  struct stat there{};
  const std::string shared = "/dev/shm/" + directory_.filename().native();
  if (::stat(directory_.c_str(), &here) != 0 || ::stat("/dev/shm", &there) != 0 || here.st_dev == there.st_dev) return;
  EXPECT_EQ(run(fs::copy_file(at("a"), shared)).value(), bytes.size());
  EXPECT_TRUE(contents(shared) == bytes);
  EXPECT_EQ(run(fs::copy_file(shared, at("c"))).value(), bytes.size());
  EXPECT_TRUE(contents(at("c")) == bytes);
  std::filesystem::remove(shared);
}

TEST_P(FileEdges, remove_all_does_not_follow_links) {
  std::filesystem::create_directories(at("kept"));
  put(at("kept") / "a", "x");
  std::filesystem::create_directories(at("gone"));
  std::filesystem::create_symlink(at("kept"), at("gone") / "link");
  EXPECT_EQ(run(fs::remove_all(at("gone"))).value(), 2U);
  std::filesystem::create_symlink(at("kept"), at("link"));
  EXPECT_EQ(run(fs::remove_all(at("link"))).value(), 1U);
  EXPECT_EQ(contents(at("kept") / "a"), "x");
}

TEST_P(FileEdges, temporary_file_in_a_missing_directory) {
  EXPECT_EQ(message(run(fs::TemporaryFile::create_in(at("none")))),
            "create a temporary file in " + at("none").native() + ": No such file or directory");
}

// --- Ends of runtimes

TEST_P(FileEdges, file_and_directory_outlive_their_runtime_and_serve_in_another) {
  put(at("a"), "hello");
  std::optional<fs::File> file = run(open_both_ways(at("a"))).value();
  std::optional<fs::ReadDirectory> directory = run(fs::ReadDirectory::open(directory_)).value();
  runtime_.reset();
  Runtime another = build(GetParam()).value();
  auto read_on = [](fs::File& of) -> Task<Result<std::string>> {
    std::array<char, 8> buffer;
    const std::size_t count = co_await try_(of.read(buffer));
    co_return std::string(buffer.data(), count);
  };
  auto first_of = [](fs::ReadDirectory& of) -> Task<Result<std::string>> {
    auto entry = co_await try_(of.next());
    co_return entry ? entry->name : std::string("none");
  };
  EXPECT_EQ(another.block_on(read_on(*file)).value(), "hello");
  EXPECT_EQ(another.block_on(first_of(*directory)).value(), "a");
}

/// Polls a future that lives elsewhere, once.
template <class F>
class PolledOnce {
 public:
  explicit PolledOnce(F& future) noexcept : future_(future) {}
  Poll<bool> poll(Context& context) { return future_.poll(context).is_ready(); }

 private:
  F& future_;
};

TEST_P(FileEdges, future_that_was_polled_is_dropped_by_another_thread_after_the_end) {
  put(at("a"), "hello");
  const std::size_t before = open_descriptors();
  {
    auto stat = std::make_unique<OperationFuture<fs::StatOperation>>(fs::metadata(at("a")));
    auto open = std::make_unique<OperationFuture<fs::OpenOperation>>(fs::File::open(at("a")));
    std::ignore = runtime_->block_on(PolledOnce(*stat));
    std::ignore = runtime_->block_on(PolledOnce(*open));
    runtime_.reset();
    std::thread([stat = std::move(stat), open = std::move(open)]() mutable {
      stat.reset();
      open.reset();
    }).join();
  }
  EXPECT_LT(open_descriptors(), before) << "all of the runtime is gone, and what was opened";
}

constexpr std::size_t slice = 64;
std::string slice_of(std::size_t index) {
  std::string text = std::to_string(index);
  text.resize(slice, '.');
  return text;
}
Task<> write_slices(const fs::File& file, seam::Atomic<std::uint32_t>& next, std::vector<std::atomic<bool>>& written) {
  for (;;) {
    const std::size_t index = next.fetch_add(1, std::memory_order_relaxed);
    if (index >= written.size()) co_return;
    const std::string text = slice_of(index);
    if (co_await file.write_all_at(text, index * slice)) written[index] = true;
  }
}

TEST_P(FileEdges, writes_that_were_reported_are_there_after_the_runtime) {
  for (int round = 0; round < 5; ++round) {
    if (!runtime_) runtime_.emplace(build(GetParam()).value());
    std::vector<std::atomic<bool>> written(20'000);
    {
      const fs::File file = run(open_both_ways(at("a"))).value();
      seam::Atomic<std::uint32_t> next{0};
      for (int i = 0; i < 50; ++i) runtime_->spawn(write_slices(file, next, written)).detach();
      std::this_thread::sleep_for(std::chrono::milliseconds(2 * round));
      runtime_.reset();
    }
    const std::string found = contents(at("a"));
    for (std::size_t i = 0; i < written.size(); ++i) {
      if (!written[i]) continue;
      ASSERT_LE((i + 1) * slice, found.size());
      ASSERT_EQ(found.substr(i * slice, slice), slice_of(i));
    }
    std::filesystem::remove(at("a"));
  }
}

TEST_P(FileEdges, end_of_the_runtime_with_operations_of_every_kind_under_way) {
  put(at("a"), std::string(100'000, 'x'));
  auto busy = [](fs::Path path) -> Task<> {
    for (;;) {
      fs::File file = (co_await open_both_ways(path)).value();
      std::string buffer(5000, 'x');
      std::ignore = co_await file.write_at(buffer, 0);
      std::ignore = co_await file.read_at(buffer, 0);
      std::ignore = co_await file.sync_data();
      std::ignore = co_await fs::metadata(path);
      std::ignore = co_await std::move(file).close();
    }
  };
  for (int round = 0; round < 10; ++round) {
    if (!runtime_) runtime_.emplace(build(GetParam()).value());
    for (int i = 0; i < 100; ++i) runtime_->spawn(busy(at("a"))).detach();
    std::this_thread::sleep_for(std::chrono::milliseconds(round));
    runtime_.reset();
  }
  EXPECT_EQ(contents(at("a")), std::string(100'000, 'x'));
}

using FileEdgesDeathTest = FileEdges;
TEST_P(FileEdgesDeathTest, runtime_destroyed_by_its_own_pool_says_so) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        auto runtime = std::make_shared<std::optional<Runtime>>(build(GetParam()).value());
        auto destroy = [runtime] { runtime->reset(); };
        auto handle = (*runtime)->spawn(unblock(destroy));
        std::ignore = await_within(handle);
      },
      "destroyed by a thread that works for it");
}
INSTANTIATE_TEST_SUITE_P(on, FileEdgesDeathTest, testing::Values(Setup{Backend::epoll, ReactorMode::workers, 1}),
                         [](const auto& parameter) { return name_of(parameter.param); });

}  // namespace
}  // namespace skua::tests
