// Files, by io_uring and by threads: the same results, the same errors.
#include "each_runtime.hpp"

#include <skua/fs/file.hpp>
#include <skua/fs/paths.hpp>
#include <skua/fs/read_directory.hpp>
#include <skua/fs/temporary.hpp>
#include <skua/fs/whole_files.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>
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

std::string random_bytes(std::size_t size, std::uint64_t seed) {
  seam::Random random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.next());
  return bytes;
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

class Files : public EachRuntime {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "skua-file-test-XXXXXX").string();
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
INSTANTIATE_TEST_SUITE_P(on, Files, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

// --- reading and writing

Task<Result<std::string>> write_then_read(fs::Path path) {
  fs::File file = co_await try_(fs::File::open(path, fs::OpenOptions().read(true).write(true).create(true)));
  co_await try_(file.write_all_at("world", 6));
  co_await try_(file.write_all_at("hello ", 0));
  std::array<char, 64> buffer;
  const std::size_t count = co_await try_(file.read_at(buffer, 0));
  const std::size_t at_end = co_await try_(file.read_at(buffer, 11));
  const std::size_t beyond = co_await try_(file.read_at(buffer, 1000));
  if (at_end != 0 || beyond != 0) co_return std::string("bytes after the end");
  co_return std::string(buffer.data(), count);
}

TEST_P(Files, what_is_written_at_an_offset_is_read_there) {
  EXPECT_EQ(run(write_then_read(at("a"))).value(), "hello world");
  EXPECT_EQ(contents(at("a")), "hello world");
}

Task<Result<std::string>> read_pieces(fs::Path path, std::size_t size) {
  fs::File file = co_await try_(fs::File::open(path));
  std::string all;
  std::string piece(size, '\0');
  for (;;) {
    const std::size_t count = co_await try_(file.read(piece));
    if (count == 0) co_return all;
    all.append(piece, 0, count);
  }
}

TEST_P(Files, position_moves_on_by_what_was_read) {
  const std::string bytes = random_bytes(300'000, 1);
  put(at("a"), bytes);
  for (const std::size_t size : {1000U, 4096U, 70'001U, 3'000'000U}) {
    EXPECT_TRUE(run(read_pieces(at("a"), size)).value() == bytes) << size;
  }
}

Task<Result<void>> write_pieces(fs::Path path, std::string_view bytes, std::size_t size) {
  fs::File file = co_await try_(fs::File::create(path));
  for (std::size_t i = 0; i < bytes.size(); i += size) co_await try_(file.write_all(bytes.substr(i, size)));
  co_await try_(file.sync_all());
  co_await try_(std::move(file).close());
  co_return {};
}

TEST_P(Files, position_moves_on_by_what_was_written) {
  const std::string bytes = random_bytes(3'000'000, 2);
  for (const std::size_t size : {100'000U, 2'500'000U}) {
    ASSERT_TRUE(run(write_pieces(at("a"), bytes, size)));
    EXPECT_TRUE(contents(at("a")) == bytes) << size;
  }
}

Task<Result<std::vector<std::uint64_t>>> seek_about(fs::Path path) {
  fs::File file = co_await try_(fs::File::open(path));
  std::vector<std::uint64_t> positions;
  positions.push_back(co_await try_(file.seek(4)));
  positions.push_back(co_await try_(file.seek(-2, fs::SeekFrom::current)));
  positions.push_back(co_await try_(file.seek(-1, fs::SeekFrom::end)));
  positions.push_back(co_await try_(file.seek(5, fs::SeekFrom::end)));
  const auto negative = co_await file.seek(-100, fs::SeekFrom::current);
  positions.push_back(!negative && negative.error() == std::errc::invalid_argument ? 1 : 0);
  co_await try_(file.seek(8));
  std::array<char, 8> buffer;
  positions.push_back(co_await try_(file.read(buffer)));
  positions.push_back(static_cast<std::uint64_t>(buffer[0]));
  co_return positions;
}

TEST_P(Files, seek_moves_the_position) {
  put(at("a"), "0123456789");
  EXPECT_EQ(run(seek_about(at("a"))).value(), (std::vector<std::uint64_t>{4, 2, 9, 15, 1, 2, '8'}));
}

Task<Result<std::string>> vectored(fs::Path path) {
  fs::File file = co_await try_(fs::File::open(path, fs::OpenOptions().read(true).write(true).create(true)));
  std::string left = "abc";
  std::string none;
  std::string right = "defgh";
  const std::array<iovec, 3> from{iovec{left.data(), 3}, iovec{none.data(), 0}, iovec{right.data(), 5}};
  if (co_await try_(file.write_vectored_at(from, 2)) != 8) co_return std::string("short");
  std::string first(4, '-');
  std::string second(10, '-');
  const std::array<iovec, 2> into{iovec{first.data(), 4}, iovec{second.data(), 10}};
  const std::size_t count = co_await try_(file.read_vectored_at(into, 1));
  co_return std::to_string(count) + first + second;
}

TEST_P(Files, vectored_reads_and_writes) {
  EXPECT_EQ(run(vectored(at("a"))).value(), std::string("9") + std::string(1, '\0') + "abcdefgh-----");
}

Task<Result<void>> append_line(fs::Path path, std::string line, int times) {
  fs::File file = co_await try_(fs::File::open(path, fs::OpenOptions().append(true).create(true)));
  for (int i = 0; i < times; ++i) co_await try_(file.write_all(line));
  co_return {};
}

TEST_P(Files, appended_lines_of_many_tasks_are_whole) {
  std::vector<JoinHandle<Result<void>>> handles;
  for (int i = 0; i < 8; ++i) {
    handles.push_back(runtime_->spawn(append_line(at("log"), std::string(99, static_cast<char>('a' + i)) + "\n", 20)));
  }
  for (auto& handle : handles) ASSERT_TRUE(await_within(handle, 30s));
  std::istringstream lines(contents(at("log")));
  std::map<std::string, int> counts;
  for (std::string line; std::getline(lines, line);) ++counts[line];
  ASSERT_EQ(counts.size(), 8U);
  for (const auto& [line, count] : counts) {
    EXPECT_EQ(line, std::string(99, line[0]));
    EXPECT_EQ(count, 20);
  }
}

Task<Result<void>> write_slice(const fs::File& file, std::string_view bytes, std::size_t at, std::size_t size) {
  co_return co_await file.write_all_at(bytes.substr(at, size), at);
}

TEST_P(Files, many_operations_in_flight_at_once) {
  const std::string bytes = random_bytes(1 << 20, 3);
  fs::File file =
      run(std::invoke([](fs::Path path) -> Task<Result<fs::File>> { co_return co_await fs::File::create(path); },
                      at("a")))
          .value();
  constexpr std::size_t slice = 512;
  std::vector<JoinHandle<Result<void>>> handles;
  for (std::size_t i = 0; i < bytes.size(); i += slice) {
    handles.push_back(runtime_->spawn(write_slice(file, bytes, i, slice)));
  }
  for (auto& handle : handles) {
    auto result = await_within(handle, 30s);
    ASSERT_TRUE(result);
    ASSERT_TRUE(result->value());
  }
  EXPECT_TRUE(contents(at("a")) == bytes);
  // Threads: workers, reactor, and 64 of the pool, or 32 of the kernel for each thread that submits.
  EXPECT_LE(std::distance(std::filesystem::directory_iterator("/proc/self/task"), {}), 110);
}

// --- errors

Task<Result<fs::File>> open_for_reading(fs::Path path) { co_return co_await fs::File::open(path); }
Task<Result<fs::File>> open_with(fs::Path path, fs::OpenOptions options) {
  co_return co_await fs::File::open(path, options);
}

TEST_P(Files, errors_name_operation_and_path) {
  put(at("file"), "x");
  EXPECT_EQ(message(run(open_for_reading(at("none")))), "open " + at("none").native() + ": No such file or directory");
  EXPECT_EQ(message(run(open_for_reading(at("file") / "below"))),
            "open " + (at("file") / "below").native() + ": Not a directory");
  EXPECT_EQ(message(run(open_with(at("file"), fs::OpenOptions().write(true).create_new(true)))),
            "open " + at("file").native() + ": File exists");
  EXPECT_EQ(message(run(open_with(directory_, fs::OpenOptions().write(true)))),
            "open " + directory_.native() + ": Is a directory");
  const std::string cut_off = at("file").native() + std::string("\0tail", 5);
  const auto zero = run(open_for_reading(cut_off));
  ASSERT_FALSE(zero);
  EXPECT_TRUE(zero.error() == std::errc::invalid_argument);
}

Task<Result<std::size_t>> write_to_read_only(fs::Path path) {
  fs::File file = co_await try_(fs::File::open(path));
  co_return co_await file.write("x");
}
Task<Result<std::size_t>> read_directory_as_file(fs::Path path) {
  fs::File file = co_await try_(fs::File::open(path));
  std::array<char, 8> buffer;
  co_return co_await file.read(buffer);
}
Task<Result<void>> fill_device() {
  fs::File file = co_await try_(fs::File::open("/dev/full", fs::OpenOptions().write(true)));
  co_return co_await file.write_all("x");
}

TEST_P(Files, failed_reads_and_writes_say_why) {
  put(at("file"), "x");
  EXPECT_EQ(message(run(write_to_read_only(at("file")))), "write " + at("file").native() + ": Bad file descriptor");
  EXPECT_EQ(message(run(read_directory_as_file(directory_))), "read " + directory_.native() + ": Is a directory");
  EXPECT_EQ(message(run(fill_device())), "write /dev/full: No space left on device");
}

// --- by name

Task<Result<void>> names(fs::Path directory) {
  co_await try_(fs::create_directory(directory / "d"));
  const auto again = co_await fs::create_directory(directory / "d");
  EXPECT_TRUE(!again && again.error() == std::errc::file_exists);
  co_await try_(fs::create_directories(directory / "x" / "y" / "z"));
  co_await try_(fs::create_directories(directory / "x" / "y" / "z"));
  co_await try_(fs::write_file(directory / "d" / "a", "text"));
  co_await try_(fs::hard_link(directory / "d" / "a", directory / "d" / "b"));
  co_await try_(fs::symlink("a", directory / "d" / "link"));
  const fs::Path target = co_await try_(fs::read_link(directory / "d" / "link"));
  EXPECT_EQ(target, "a");
  const fs::Path whole = co_await try_(fs::canonical(directory / "d" / ".." / "d" / "link"));
  EXPECT_EQ(whole.filename(), "a");
  const fs::Metadata followed = co_await try_(fs::metadata(directory / "d" / "link"));
  EXPECT_TRUE(followed.is_regular());
  EXPECT_EQ(followed.size, 4U);
  EXPECT_EQ(followed.links, 2U);
  const fs::Metadata link = co_await try_(fs::symlink_metadata(directory / "d" / "link"));
  EXPECT_TRUE(link.is_symlink());
  co_await try_(fs::set_permissions(directory / "d" / "a", 0640));
  const fs::Metadata changed = co_await try_(fs::metadata(directory / "d" / "b"));
  EXPECT_EQ(changed.permissions, 0640U);

  co_await try_(fs::rename(directory / "d" / "b", directory / "c"));
  const auto refused = co_await fs::rename_new(directory / "c", directory / "d" / "a");
  EXPECT_TRUE(!refused && refused.error() == std::errc::file_exists);
  const bool moved = co_await try_(fs::exists(directory / "c"));
  const bool left = co_await try_(fs::exists(directory / "d" / "b"));
  EXPECT_TRUE(moved && !left);
  const auto full = co_await fs::remove_directory(directory / "d");
  EXPECT_TRUE(!full && full.error() == std::errc::directory_not_empty);
  co_await try_(fs::remove_file(directory / "c"));
  const auto gone = co_await fs::remove_file(directory / "c");
  EXPECT_EQ(message(gone), "remove_file " + (directory / "c").native() + ": No such file or directory");
  const std::uint64_t removed = co_await try_(fs::remove_all(directory / "d"));
  EXPECT_EQ(removed, 3U);
  const std::uint64_t nothing = co_await try_(fs::remove_all(directory / "d"));
  EXPECT_EQ(nothing, 0U);
  co_await try_(fs::remove_directory(directory / "x" / "y" / "z"));
  co_return {};
}

TEST_P(Files, names_are_made_changed_and_removed) { EXPECT_EQ(message(run(names(directory_))), "no error"); }

Task<Result<std::set<std::string>>> list(fs::Path path) {
  fs::ReadDirectory directory = co_await try_(fs::ReadDirectory::open(path));
  std::set<std::string> names;
  while (auto entry = co_await try_(directory.next())) {
    if (!names.insert(entry->name).second) co_return system_error(EEXIST, "list twice", entry->name);
  }
  co_return names;
}

TEST_P(Files, directory_lists_each_entry_once) {
  std::set<std::string> expected;
  for (int i = 0; i < 3000; ++i) {
    expected.insert("entry-with-a-longer-name-" + std::to_string(i));
    put(directory_ / ("entry-with-a-longer-name-" + std::to_string(i)), "");
  }
  EXPECT_TRUE(run(list(directory_)).value() == expected);
  EXPECT_EQ(message(run(list(at("none")))), "open " + at("none").native() + ": No such file or directory");
}

Task<Result<void>> sizes(fs::Path path) {
  fs::File file = co_await try_(fs::File::open(path, fs::OpenOptions().read(true).write(true).create(true)));
  co_await try_(file.write_all("0123456789"));
  co_await try_(file.set_size(4));
  const fs::Metadata cut = co_await try_(file.metadata());
  EXPECT_EQ(cut.size, 4U);
  co_await try_(file.set_size(std::uint64_t{5} << 30));  // a hole
  const fs::Metadata grown = co_await try_(file.metadata());
  EXPECT_EQ(grown.size, std::uint64_t{5} << 30);
  co_await try_(file.write_all_at("end", (std::uint64_t{5} << 30) - 3));
  std::array<char, 3> buffer;
  const std::size_t count = co_await try_(file.read_at(buffer, (std::uint64_t{5} << 30) - 3));
  EXPECT_EQ(std::string(buffer.data(), count), "end");
  co_await try_(file.sync_data());
  co_return {};
}

TEST_P(Files, size_is_set_and_offsets_are_wide) { EXPECT_EQ(message(run(sizes(at("a")))), "no error"); }

// --- whole files

TEST_P(Files, whole_files_are_read_written_and_copied) {
  const std::string bytes = random_bytes(20'000'000, 4);
  put(at("a"), bytes);
  ::chmod(at("a").c_str(), 0751);
  EXPECT_EQ(run(fs::copy_file(at("a"), at("b"))).value(), bytes.size());
  EXPECT_TRUE(contents(at("b")) == bytes);
  struct stat status{};
  ::stat(at("b").c_str(), &status);
  EXPECT_EQ(status.st_mode & 07777U, 0751U);
  EXPECT_TRUE(run(fs::read_to_string(at("b"))).value() == bytes);
  EXPECT_TRUE(run(fs::read_to_string(at("b"), bytes.size())).value() == bytes);
  EXPECT_TRUE(run(fs::read_to_string(at("b"), bytes.size() - 1)).error() == std::errc::file_too_large);
  const std::uint64_t copied = run(fs::copy_file("/proc/self/status", at("status"))).value();  // its size is said to be 0
  EXPECT_GT(copied, 0U);
  EXPECT_EQ(copied, std::filesystem::file_size(at("status")));
  EXPECT_NE(run(fs::read_to_string("/proc/self/status")).value().find("VmRSS"), std::string::npos);
  ASSERT_TRUE(run(fs::write_file_atomically(at("b"), "new")));
  EXPECT_EQ(contents(at("b")), "new");
  EXPECT_TRUE(run(fs::copy_file(at("b"), at("b"))).error() == std::errc::invalid_argument);
  EXPECT_EQ(contents(at("b")), "new") << "a file copied to itself is left alone";
}

Task<Result<fs::Path>> make_and_drop(fs::Path directory) {
  fs::TemporaryFile file = co_await try_(fs::TemporaryFile::create_in(directory));
  EXPECT_TRUE(std::filesystem::exists(file.path()));
  co_await try_(file.file().write_all("x"));
  fs::TemporaryDirectory inner = co_await try_(fs::TemporaryDirectory::create_in(directory));
  co_await try_(fs::write_file(inner.path() / "a", "x"));
  fs::TemporaryFile kept = co_await try_(fs::TemporaryFile::create_in(directory));
  co_await try_(kept.file().write_all("kept"));
  co_await try_(std::move(kept).persist(directory / "kept"));
  co_return directory;
}

TEST_P(Files, temporary_files_go_with_their_owner) {
  ASSERT_TRUE(run(make_and_drop(directory_)));
  EXPECT_EQ(run(list(directory_)).value(), std::set<std::string>{"kept"});
  EXPECT_EQ(contents(at("kept")), "kept");
}

// --- drops

// A file descriptor of an open() that nobody waits for is closed; buffers outlive the writes into them.
Task<void> drop_at_random(fs::Path path, std::uint64_t seed, int rounds) {
  seam::Random random(seed);
  auto made = co_await fs::File::open(path, fs::OpenOptions().read(true).write(true));
  if (!made) throw std::runtime_error(made.error().message());
  fs::File file = *std::move(made);
  std::array<char, 512> buffer;
  for (int i = 0; i < rounds; ++i) {
    const auto limit = std::chrono::microseconds(random.below(40));
    const std::uint64_t offset = random.below(1 << 20);
    switch (random.below(6)) {
      case 0: std::ignore = co_await timeout(limit, fs::File::open(path)); break;
      case 1: std::ignore = co_await timeout(limit, file.read_at(buffer, offset)); break;
      case 2: std::ignore = co_await timeout(limit, file.write_at("0123456789", offset)); break;
      case 3: std::ignore = co_await timeout(limit, fs::metadata(path)); break;
      case 4: std::ignore = co_await timeout(limit, file.write("abc")); break;
      default: std::ignore = co_await timeout(limit, fs::rename(path, path)); break;
    }
  }
}

TEST_P(Files, operations_dropped_at_random_leave_nothing_behind) {
  put(at("a"), std::string(1 << 20, 'x'));
  std::ignore = run(fs::read_to_string(at("a"), 1 << 20));  // whatever is set up by the first operation is there
  const std::size_t before = open_descriptors();
  std::vector<JoinHandle<void>> handles;
  for (std::uint64_t i = 0; i < 8; ++i) handles.push_back(runtime_->spawn(drop_at_random(at("a"), i, 500)));
  for (auto& handle : handles) {
    auto result = await_within(handle, 60s);
    ASSERT_TRUE(result);
    ASSERT_TRUE(*result);
  }
  for (int i = 0; i < 200 && open_descriptors() > before + 2; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_LE(open_descriptors(), before + 2) << "a ring of a worker that had none yet is one, and one to watch it";
}

Task<Result<std::string>> cursor_with_drops(fs::Path path, std::uint64_t seed, std::size_t pieces) {
  seam::Random random(seed);
  fs::File file = co_await try_(fs::File::create(path));
  std::string expected;
  for (std::size_t i = 0; i < pieces; ++i) {
    const std::string piece = std::to_string(i) + " ";
    auto written = co_await timeout(std::chrono::microseconds(random.below(30)), file.write(piece));
    if (!written && written.error() != std::errc::timed_out) co_return written.error();
    expected += piece;
  }
  co_await try_(file.flush());
  co_return expected;
}

TEST_P(Files, cursor_write_that_was_dropped_comes_before_the_next) {
  const auto expected = run(cursor_with_drops(at("a"), 7, 300));
  ASSERT_TRUE(expected) << expected.error().message();
  const std::string found = contents(at("a"));
  // A write is dropped before it began, or done wholly: every piece at most once, in order.
  std::istringstream pieces(found);
  long last = -1;
  for (long piece = 0; pieces >> piece; last = piece) ASSERT_GT(piece, last);
  EXPECT_TRUE(found.empty() || found.back() == ' ');
}

}  // namespace
}  // namespace skua::tests
