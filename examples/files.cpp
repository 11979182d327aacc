// Files: a whole one, a part of one, one that grows, and one that is replaced in one step.
#include <skua/skua.hpp>

#include <array>
#include <cstdio>
#include <string>
#include <utility>

using namespace skua;

// docs:begin whole
Task<Result<void>> keep_state(fs::Path path, std::string state) {
  co_await try_(
      fs::write_file_atomically(path, state));  // whoever reads it, also after a crash, finds one or the other
  const std::string found = co_await try_(fs::read_to_string(path));
  std::printf("state: %s\n", found.c_str());
  co_return {};
}
// docs:end

// docs:begin append
Task<Result<void>> log_line(fs::Path path, std::string line) {
  const auto options = fs::OpenOptions().append(true).create(true).permissions(0640);
  fs::File log = co_await try_(fs::File::open(path, options));
  co_await try_(log.write_all(line));
  co_await try_(log.sync_data());         // it is on the disk
  co_await try_(std::move(log).close());  // and nothing was left to be said
  co_return {};
}
// docs:end

// docs:begin part
Task<Result<std::string>> last_bytes(fs::Path path, std::uint64_t count) {
  fs::File file = co_await try_(fs::File::open(path));
  const fs::Metadata found = co_await try_(file.metadata());
  std::string bytes(std::min(count, found.size), '\0');
  const std::size_t n = co_await try_(file.read_at(bytes, found.size - bytes.size()));  // perhaps fewer
  bytes.resize(n);
  co_return bytes;
}
// docs:end

// docs:begin limited
Task<Result<std::string>> read_within(fs::Path path, Duration limit) {
  co_return co_await timeout(limit,
                             fs::read_to_string(path));  // what is dropped is cancelled, and leaves nothing behind
}
// docs:end

Task<Result<std::string>> all() {
  fs::TemporaryDirectory directory = co_await try_(fs::TemporaryDirectory::create());
  co_await try_(keep_state(directory.path() / "state", "first"));
  co_await try_(keep_state(directory.path() / "state", "second"));
  co_await try_(log_line(directory.path() / "log", "one\n"));
  co_await try_(log_line(directory.path() / "log", "two\n"));
  std::string end = co_await try_(last_bytes(directory.path() / "log", 4));
  end += co_await try_(read_within(directory.path() / "state", std::chrono::seconds(30)));
  co_return end;
}

int main() {
  Runtime runtime;
  const Result<std::string> end = runtime.block_on(all());
  if (!end) return std::fprintf(stderr, "%s\n", end.error().message().c_str()), 1;
  std::puts(end->c_str());
  return *end == "two\nsecond" ? 0 : 1;
}
