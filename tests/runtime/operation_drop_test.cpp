// Futures of every kind of operation, dropped at random: nothing is lost, nothing is left, the bytes are right.
//
// The kernel may still be at work on a dropped operation. Where blocks are protected (core/io_memory.hpp) a write of
// the kernel to one that was given back too early fails, and its completion says so: the ring's seam counts those.
#include "each_runtime.hpp"

#include "../reactor/ring_seam.hpp"

#include <skua/fs/file.hpp>
#include <skua/fs/paths.hpp>
#include <skua/fs/read_directory.hpp>

#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace skua::tests {
namespace {

using namespace std::chrono_literals;

/// Ready when `future` is, or after some polls: true in the first case. Then the future goes.
template <class F>
class [[nodiscard]] DropAfter {
 public:
  DropAfter(F future, std::uint64_t polls) : future_(std::move(future)), polls_left_(polls) {}
  Poll<bool> poll(Context& context) {
    if (future_.poll(context).is_ready()) return true;
    if (polls_left_-- == 0) return false;
    context.waker().wake_by_ref();
    return pending;
  }

 private:
  F future_;
  std::uint64_t polls_left_;
};

std::string contents(const fs::Path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

constexpr std::size_t file_size = 1 << 16;
/// What the file holds at all times: each place its own number.
std::string pattern() {
  std::string bytes(file_size, '\0');
  for (std::uint32_t i = 0; i < file_size / sizeof i; ++i) std::memcpy(&bytes[i * sizeof i], &i, sizeof i);
  return bytes;
}

constexpr std::uint32_t tasks = 8;
// Some 10^5 of each kind in the four set-ups together; SKUA_TEST_SCALE for more.
const int drops_a_task = static_cast<int>(at_scale(scaled(25'000, 4'000)) / tasks);

class OperationDrops : public EachRuntime {
 protected:
  void SetUp() override {
    descriptors_ = open_descriptors();
    std::string name = (std::filesystem::temp_directory_path() / "skua-drop-test-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    std::ofstream(directory_ / "a", std::ios::binary) << pattern();
    reactor::ring_is_slow = true;  // else most is done before it can be dropped
    EachRuntime::SetUp();
  }
  void TearDown() override {
    runtime_.reset();
    EXPECT_EQ(open_descriptors(), descriptors_);
    EXPECT_EQ(reactor::ring_faults, 0) << "the kernel wrote to memory that was given back";
    if (std::filesystem::exists(directory_ / "a")) {
      EXPECT_TRUE(contents(directory_ / "a") == pattern());
    }
    std::filesystem::remove_all(directory_);
  }

  /// Runs `body(path, seed)` in some tasks at once.
  template <class Body>
  void in_tasks(Body body) {
    std::vector<JoinHandle<void>> handles;
    for (std::uint64_t seed = 1; seed <= tasks; ++seed) handles.push_back(runtime_->spawn(body(directory_, seed)));
    for (auto& handle : handles) {
      auto result = await_within(handle, 120s);
      ASSERT_TRUE(result) << "it hangs";
      result->value();
    }
  }

  std::size_t descriptors_ = 0;
  fs::Path directory_;
};
INSTANTIATE_TEST_SUITE_P(on, OperationDrops, each_setup,
                         [](const auto& parameter) { return name_of(parameter.param); });

Task<fs::File> open(fs::Path path, bool writes = false) {
  auto opened = co_await fs::File::open(path, fs::OpenOptions().read(true).write(writes));
  fs::File file = std::move(opened).value();
  // What the page cache holds would be read at once.
  file.state()->answers_at_once.store(false, std::memory_order_relaxed);
  co_return file;
}

void require(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

Task<> drop_reads(fs::Path directory, std::uint64_t seed) {
  seam::Random random(seed);
  const fs::File file = co_await open(directory / "a");
  for (int i = 0; i < drops_a_task; ++i) {
    std::array<std::uint32_t, 16> buffer{};
    const std::uint64_t first = random.below(file_size / 4 - 16);
    DropAfter read(file.read_at(std::as_writable_bytes(std::span(buffer)), 4 * first), random.below(4));
    const bool came = co_await read;
    require(!came || (buffer.front() == first && buffer.back() == first + 15), "wrong bytes");
  }
}
TEST_P(OperationDrops, read_at) { in_tasks(drop_reads); }

Task<> drop_writes(fs::Path directory, std::uint64_t seed) {
  seam::Random random(seed);
  const fs::File file = co_await open(directory / "a", true);
  for (int i = 0; i < drops_a_task; ++i) {
    std::array<std::uint32_t, 16> buffer{};
    const auto first = static_cast<std::uint32_t>(random.below(file_size / 4 - 16));
    for (std::uint32_t at = 0; at < buffer.size(); ++at) buffer[at] = first + at;
    DropAfter write(file.write_at(std::as_bytes(std::span(buffer)), 4 * std::uint64_t{first}), random.below(4));
    std::ignore = co_await write;
    buffer.fill(0xDEADBEEF);  // it is ours again
  }
}
TEST_P(OperationDrops, write_at) { in_tasks(drop_writes); }

Task<> drop_opens(fs::Path directory, std::uint64_t seed) {
  seam::Random random(seed);
  for (int i = 0; i < drops_a_task; ++i) {
    DropAfter opening(fs::File::open(directory / "a"), random.below(8));
    std::ignore = co_await opening;
  }
}
TEST_P(OperationDrops, open) { in_tasks(drop_opens); }

Task<> drop_stats(fs::Path directory, std::uint64_t seed) {
  seam::Random random(seed);
  for (int i = 0; i < drops_a_task; ++i) {
    DropAfter stat(fs::metadata(directory / "a"), random.below(8));
    std::ignore = co_await stat;
  }
}
TEST_P(OperationDrops, metadata) { in_tasks(drop_stats); }

Task<> drop_renames(fs::Path directory, std::uint64_t seed) {
  seam::Random random(seed);
  const fs::Path mine = directory / std::to_string(seed);
  const fs::Path other = directory / (std::to_string(seed) + "-other");
  std::ofstream(mine) << seed;
  for (int i = 0; i < drops_a_task; ++i) {
    const bool forth = random.below(2) == 0;
    DropAfter renaming(forth ? fs::rename(mine, other) : fs::rename(other, mine), random.below(8));
    std::ignore = co_await renaming;
  }
}
TEST_P(OperationDrops, rename) {
  in_tasks(drop_renames);
  runtime_.reset();
  EXPECT_EQ(entries_of(directory_.c_str()), 1 + tasks);
}

Task<> drop_directories(fs::Path directory, std::uint64_t seed) {
  seam::Random random(seed);
  const fs::Path mine = directory / std::to_string(seed);
  const fs::Path link = directory / (std::to_string(seed) + "-link");
  for (int i = 0; i < drops_a_task / 4; ++i) {
    DropAfter making(fs::create_directory(mine), random.below(8));
    std::ignore = co_await making;
    DropAfter removing(fs::remove_directory(mine), random.below(8));
    std::ignore = co_await removing;
    DropAfter linking(fs::hard_link(directory / "a", link), random.below(8));
    std::ignore = co_await linking;
    DropAfter unlinking(fs::remove_file(link), random.below(8));
    std::ignore = co_await unlinking;
  }
}
TEST_P(OperationDrops, create_and_remove) { in_tasks(drop_directories); }

Task<> drop_syncs(fs::Path directory, std::uint64_t seed) {
  seam::Random random(seed);
  const fs::File file = co_await open(directory / "a", true);
  for (int i = 0; i < drops_a_task / 10; ++i) {
    DropAfter syncing(file.sync_data(), random.below(4));
    std::ignore = co_await syncing;
  }
}
TEST_P(OperationDrops, sync_data) { in_tasks(drop_syncs); }

Task<> drop_cursor_reads(fs::Path directory, std::uint64_t seed) {
  seam::Random random(seed);
  fs::File file = co_await open(directory / "a");
  std::uint32_t expected = 0;
  for (int i = 0; i < drops_a_task; ++i) {
    std::uint32_t found = ~0U;
    DropAfter reading(file.read(std::as_writable_bytes(std::span(&found, 1))), random.below(4));
    if (!co_await reading) continue;
    require(found == expected++, "a read that was dropped has moved the position, or one that was not has not");
    if (expected < file_size / 4) continue;
    expected = 0;
    (co_await file.seek(0)).value();
  }
}
TEST_P(OperationDrops, read_at_the_position) { in_tasks(drop_cursor_reads); }

Task<> drop_cursor_writes(fs::Path directory, std::uint64_t seed) {
  seam::Random random(seed);
  const fs::Path path = directory / std::to_string(seed);
  std::set<std::uint32_t> reported;
  {
    fs::File file = (co_await fs::File::create(path)).value();
    for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(drops_a_task); ++i) {
      DropAfter writing(file.write(std::as_bytes(std::span(&i, 1))), random.below(4));
      if (co_await writing) reported.insert(i);
    }
    (co_await file.flush()).value();
  }
  const std::string bytes = contents(path);
  require(bytes.size() % 4 == 0, "a piece is torn");
  std::uint32_t least = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 4) {
    std::uint32_t found = 0;
    std::memcpy(&found, &bytes[at], 4);
    require(found >= least, "pieces are out of order, or twice there");
    least = found + 1;
    reported.erase(found);
  }
  require(reported.empty(), "a piece that was reported is not there");
}
TEST_P(OperationDrops, write_at_the_position) { in_tasks(drop_cursor_writes); }

Task<> drop_listings(fs::Path directory, std::uint64_t seed) {
  seam::Random random(seed);
  for (int i = 0; i < drops_a_task / 200; ++i) {
    fs::ReadDirectory entries = (co_await fs::ReadDirectory::open(directory / "many")).value();
    std::set<std::string> names;
    for (bool at_end = false; !at_end && random.below(200) != 0;) {
      // Not by DropAfter: the entry that came is to be seen.
      auto next = co_await timeout(std::chrono::microseconds(random.below(20)), entries.next());
      if (!next) continue;
      auto entry = std::move(*next);
      at_end = !entry;
      if (entry) require(names.insert(entry->name).second, "an entry twice");
      if (at_end) require(names.size() == 100, "an entry is missing");
    }
  }
}
TEST_P(OperationDrops, next_of_a_directory) {
  std::filesystem::create_directory(directory_ / "many");
  for (int i = 0; i < 100; ++i) std::ofstream(directory_ / "many" / std::to_string(i));
  in_tasks(drop_listings);
}

TEST_P(OperationDrops, unblock) {
  Census census;
  std::atomic<int> called{0};
  std::atomic<int> came{0};
  auto body = [&](fs::Path, std::uint64_t seed) -> Task<> {
    seam::Random random(seed);
    for (int i = 0; i < drops_a_task; ++i) {
      auto call = [&called, counted = Counted(census)] { called.fetch_add(1); };
      DropAfter calling(skua::unblock(std::move(call)), random.below(8));
      if (co_await calling) came.fetch_add(1);
    }
  };
  in_tasks(body);
  runtime_.reset();
  EXPECT_EQ(census.alive(), 0);
  EXPECT_GE(called, came);
  EXPECT_LE(called, drops_a_task * static_cast<int>(tasks));
}

// --- How many at once

Task<> write_once(const fs::File& file, std::uint32_t index) {
  const std::uint64_t offset = 4 * std::uint64_t{index % (file_size / 4)};
  const auto value = static_cast<std::uint32_t>(offset / 4);
  (co_await file.write_at(std::as_bytes(std::span(&value, 1)), offset)).value();
}

TEST_P(OperationDrops, ten_thousand_in_flight_take_a_bounded_number_of_threads) {
  const std::size_t before = running_threads();
  const fs::File file = run(open(directory_ / "a", true));
  std::vector<JoinHandle<void>> handles;
  for (std::uint32_t i = 0; i < 10'000; ++i) handles.push_back(runtime_->spawn(write_once(file, i)));
  std::size_t most = 0;
  for (auto& handle : handles) {
    if (&handle - handles.data() < 100) most = std::max(most, running_threads());
    auto result = await_within(handle, 60s);
    ASSERT_TRUE(result);
    result->value();
  }
  // 64 of the pool; or of the kernel 64, and as many for what may wait for ever.
  EXPECT_LE(most, before + 130);
}

}  // namespace
}  // namespace skua::tests
