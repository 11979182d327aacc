// Files and directories by name.
#include "fault_case.hpp"

#include <fcntl.h>
#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace skua::tests {

namespace {

/// A directory that is gone at the end, with all that is in it.
class TestDirectory {
 public:
  TestDirectory() {
    if (::mkdtemp(path_.data()) == nullptr) throw std::system_error(errno, std::generic_category(), "mkdtemp");
  }
  ~TestDirectory() { std::filesystem::remove_all(path_); }
  const std::string& path() const noexcept { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  /// The path of a file that has just been made.
  std::string file(const std::string& name) const {
    std::ofstream(*this / name) << name;
    return *this / name;
  }

 private:
  std::string path_ = (std::filesystem::temp_directory_path() / "skua-faults-XXXXXX").string();
};

// A ring's request names the current directory.
void start_faults(Bench& bench) {
  bench.start_faults(bench.call() == Call::ring_request ? std::vector<int>{AT_FDCWD} : std::vector<int>());
}

Task<> renames(Bench& bench) {
  const TestDirectory directory;
  std::string from = directory.file("one");
  std::string to = directory / "two";
  start_faults(bench);
  auto body = [&]() -> Task<bool> {
    const Result<void> renamed = co_await fs::rename(from, to);
    bench.expect(std::filesystem::exists(renamed ? to : from) && !std::filesystem::exists(renamed ? from : to),
                 "the file has another name");
    if (!bench.note(renamed)) co_return false;
    std::swap(from, to);
    co_return true;
  };
  co_await eight_times(bench, body);
}

Task<> removes_files(Bench& bench) {
  const TestDirectory directory;
  start_faults(bench);
  auto body = [&]() -> Task<bool> {
    const std::string path = directory.file("one");
    const Result<void> removed = co_await fs::remove_file(path);
    bench.expect(std::filesystem::exists(path) == !removed, "the file is there, or not, against the answer");
    co_return bench.note(removed);
  };
  co_await eight_times(bench, body);
}

Task<> creates_directories(Bench& bench) {
  const TestDirectory directory;
  const std::string path = directory / "one";
  start_faults(bench);
  auto body = [&]() -> Task<bool> {
    const Result<void> created = co_await fs::create_directory(path);
    bench.expect(std::filesystem::remove(path) == created.has_value(), "the directory is there, or not");
    co_return bench.note(created);
  };
  co_await eight_times(bench, body);
}

Task<> removes_directories(Bench& bench) {
  const TestDirectory directory;
  const std::string path = directory / "one";
  start_faults(bench);
  auto body = [&]() -> Task<bool> {
    std::filesystem::create_directory(path);
    const Result<void> removed = co_await fs::remove_directory(path);
    bench.expect(std::filesystem::exists(path) == !removed, "the directory is there, or not");
    co_return bench.note(removed);
  };
  co_await eight_times(bench, body);
}

Task<> links(Bench& bench) {
  const TestDirectory directory;
  const std::string file = directory.file("one");
  const std::string link = directory / "two";
  start_faults(bench);
  auto body = [&]() -> Task<bool> {
    const Result<void> linked = co_await fs::hard_link(file, link);
    bench.expect(std::filesystem::remove(link) == linked.has_value(), "the link is there, or not");
    co_return bench.note(linked);
  };
  co_await eight_times(bench, body);
}

Task<> links_symbolically(Bench& bench) {
  const TestDirectory directory;
  const std::string link = directory / "two";
  start_faults(bench);
  auto body = [&]() -> Task<bool> {
    const Result<void> linked = co_await fs::symlink("one", link);
    bench.expect(std::filesystem::remove(link) == linked.has_value(), "the link is there, or not");
    co_return bench.note(linked);
  };
  co_await eight_times(bench, body);
}

Task<> gets_metadata(Bench& bench) {
  const TestDirectory directory;
  const std::string file = directory.file("one");
  start_faults(bench);
  auto body = [&]() -> Task<bool> {
    const Result<fs::Metadata> found = co_await fs::metadata(file);
    if (!bench.note(found)) co_return false;
    bench.expect(found->size == 3 && found->is_regular(), "the metadata are another file's");
    co_return true;
  };
  co_await eight_times(bench, body);
}

// Each entry is seen once, also if a part of them could not be read at first.
Task<> reads_directories(Bench& bench) {
  const TestDirectory directory;
  std::set<std::string> names;
  for (int i = 0; i < 20; ++i) names.insert("file-" + std::to_string(i));
  for (const std::string& name : names) directory.file(name);
  bench.start_faults();
  auto body = [&]() -> Task<bool> {
    fs::ReadDirectory reader = (co_await fs::ReadDirectory::open(directory.path())).value();
    std::set<std::string> left = names;
    while (!bench.gives_up()) {
      const Result<std::optional<fs::DirectoryEntry>> entry = co_await reader.next();
      if (!bench.note(entry)) continue;
      if (!*entry) break;
      bench.expect(left.erase((*entry)->name) == 1, "an entry came twice, or is not there");
    }
    bench.expect(left.empty(), "an entry was not seen");
    co_return true;
  };
  co_await eight_times(bench, body);
}

Task<> copies_files(Bench& bench) {
  const TestDirectory directory;
  const std::string from = directory.file("one");
  const std::string to = directory / "two";
  bench.start_faults();
  auto body = [&]() -> Task<bool> {
    const Result<std::uint64_t> copied = co_await fs::copy_file(from, to);
    if (!bench.note(copied)) co_return false;
    std::string text;
    std::ifstream(to) >> text;
    bench.expect(*copied == 3 && text == "one", "the copy is another file");
    co_return true;
  };
  co_await eight_times(bench, body);
}

}  // namespace

std::vector<OperationUnderTest> path_operations() {
  const auto by_name = [](const char* name, Call call, const char* reported_as, Task<> (*run)(Bench&)) {
    return OperationUnderTest{
        .name = name, .call = call, .reported_as = reported_as, .run = run, .subject = "skua-faults-"};
  };
  std::vector<OperationUnderTest> all;
  for (const OperationUnderTest& one : {
           by_name("path_rename", Call::rename, "rename", &renames),
           by_name("path_remove_file", Call::unlink, "remove_file", &removes_files),
           by_name("path_create_directory", Call::mkdir, "create_directory", &creates_directories),
           by_name("path_remove_directory", Call::unlink, "remove_directory", &removes_directories),
           by_name("path_hard_link", Call::link, "hard_link", &links),
           by_name("path_symlink", Call::symlink, "symlink", &links_symbolically),
           by_name("path_metadata", Call::statx, "metadata", &gets_metadata),
       }) {
    all.push_back(by_ring(one));
    all.push_back(by_threads(one));
    all.back().impossible = {EINTR, EAGAIN};
  }
  // io_uring has no such requests.
  all.push_back(by_name("path_read_directory", Call::getdents, "read_directory", &reads_directories));
  all.back().impossible = {EINTR, EAGAIN};
  // What the file system cannot copy is read and written.
  all.push_back(by_name("path_copy_file", Call::copy_file_range, "copy_file", &copies_files));
  all.back().retried = {EINTR, EINVAL, EXDEV, EOPNOTSUPP, ENOSYS, EPERM};
  all.back().impossible = {EAGAIN};
  all.back().transfers = true;
  all.back().zero = Answer::as_if_nothing_happened;
  return all;
}

}  // namespace skua::tests
