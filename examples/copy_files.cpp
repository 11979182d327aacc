// Copies a directory with all that is in it, eight files at a time, and says how much it was.
//
//   copy_files FROM TO
//   copy_files            makes a tree of its own, copies it and looks at the copy
#include <skua/skua.hpp>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

using namespace skua;

struct Job {
  Job(fs::Path source, fs::Path target) : from(std::move(source)), to(std::move(target)) {}
  fs::Path from;
  fs::Path to;
};

// docs:begin walk
/// Makes the directories below `to`, and lists the files.
Task<Result<void>> walk(fs::Path from, fs::Path to, std::vector<Job>& files) {
  co_await try_(fs::create_directories(to));
  fs::ReadDirectory directory = co_await try_(fs::ReadDirectory::open(from));
  while (auto entry = co_await try_(directory.next())) {
    const fs::Path path = from / entry->name;
    const fs::Metadata found =
        co_await try_(fs::symlink_metadata(path));  // of a link itself: no going round in circles
    if (found.is_directory()) co_await try_(walk(path, to / entry->name, files));
    if (found.is_regular()) files.emplace_back(path, to / entry->name);
  }
  co_return {};
}
// docs:end

// docs:begin copy
/// Copies one file after the other, until none is left.
Task<Result<std::uint64_t>> copy_some(const std::vector<Job>& files, std::atomic<std::size_t>& next) {
  std::uint64_t total = 0;
  for (std::size_t i = next.fetch_add(1); i < files.size(); i = next.fetch_add(1)) {
    const std::uint64_t bytes = co_await try_(fs::copy_file(files[i].from, files[i].to));
    total += bytes;
  }
  co_return total;
}

Task<Result<std::uint64_t>> copy_all(const std::vector<Job>& files, int at_once) {
  std::atomic<std::size_t> next{0};
  std::vector<JoinHandle<Result<std::uint64_t>>> copiers;  // joined below: they use what is ours
  for (int i = 0; i < at_once; ++i) copiers.push_back(spawn(copy_some(files, next)));
  Result<std::uint64_t> total(0);
  for (auto& copier : copiers) {
    const Result<std::uint64_t> bytes = (co_await copier).value();
    if (total && bytes) *total += *bytes;
    if (total && !bytes) total = bytes.error();
  }
  co_return total;
}
// docs:end

Task<Result<void>> copy_tree(fs::Path from, fs::Path to) {
  std::vector<Job> files;
  co_await try_(walk(from, to, files));
  const std::uint64_t bytes = co_await try_(copy_all(files, 8));
  std::printf("%zu files, %llu bytes\n", files.size(), static_cast<unsigned long long>(bytes));
  co_return {};
}

Task<Result<void>> demonstrate() {
  fs::TemporaryDirectory directory = co_await try_(fs::TemporaryDirectory::create());
  const fs::Path from = directory.path() / "from";
  const fs::Path to = directory.path() / "to";
  co_await try_(fs::create_directories(from / "below"));
  for (int i = 0; i < 100; ++i) {
    co_await try_(fs::write_file(from / "below" / std::to_string(i), std::string(1000, 'x')));
  }
  co_await try_(copy_tree(from, to));
  const std::string copied = co_await try_(fs::read_to_string(to / "below" / "99"));
  if (copied != std::string(1000, 'x')) co_return Error(std::errc::io_error, "compare the copy");
  co_return {};
}

int main(int argc, char** argv) {
  Runtime runtime;
  const Result<void> done = runtime.block_on(argc == 3 ? copy_tree(argv[1], argv[2]) : demonstrate());
  if (!done) return std::fprintf(stderr, "%s\n", done.error().message().c_str()), 1;
  return 0;
}
