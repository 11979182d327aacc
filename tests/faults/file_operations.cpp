// Files: by io_uring, where the request fails, and by the blocking pool, where the system call does.
#include "fault_case.hpp"
#include "peer.hpp"
#include "stream_runs.hpp"

#include <fcntl.h>
#include <liburing.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace skua::tests {

namespace {

constexpr std::size_t total_size = pieces * piece;

/// A file that is gone at the end.
class TestFile {
 public:
  explicit TestFile(bool is_full) {
    const int fd = ::mkstemp(path_.data());
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "mkstemp");
    ::close(fd);
    if (!is_full) return;
    std::ofstream out(path_, std::ios::binary);
    for (std::size_t i = 0; i < total_size; ++i) out.put(byte_at(i));
  }
  ~TestFile() { std::filesystem::remove(path_); }
  const std::string& path() const noexcept { return path_; }
  bool is_right() const {
    std::ifstream in(path_, std::ios::binary);
    std::size_t position = 0;
    for (char byte = 0; in.get(byte); ++position) {
      if (byte != byte_at(position)) return false;
    }
    return position == total_size;
  }

 private:
  std::string path_ = (std::filesystem::temp_directory_path() / "skua-faults-XXXXXX").string();
};

fs::OpenOptions for_both() { return fs::OpenOptions().read(true).write(true); }

struct ReadAt {
  auto operator()(fs::File& file, PieceBuffer& into, std::size_t position) const {
    return file.read_at(into, position);
  }
};
struct ReadTwoPartsAt {
  auto operator()(fs::File& file, PieceBuffer& into, std::size_t position) {
    parts = {iovec{into.data(), 10}, iovec{into.data() + 10, into.size() - 10}};
    return file.read_vectored_at(parts, position);
  }
  std::array<iovec, 2> parts;
};
struct ReadOn {
  auto operator()(fs::File& file, PieceBuffer& into, std::size_t) const { return file.read(into); }
};
struct WriteAt {
  auto operator()(fs::File& file, ConstBuffer from, std::size_t position) const {
    return file.write_at(from, position);
  }
};
struct WriteTwoPartsAt {
  auto operator()(fs::File& file, ConstBuffer from, std::size_t position) {
    auto* const bytes = const_cast<std::byte*>(from.data());
    const std::size_t half = from.size() / 2;
    parts = {iovec{bytes, half}, iovec{bytes + half, from.size() - half}};
    return file.write_vectored_at(parts, position);
  }
  std::array<iovec, 2> parts;
};
struct WriteOn {
  auto operator()(fs::File& file, ConstBuffer from, std::size_t) const { return file.write(from); }
};

template <class Read>
Task<> reads_file(Bench& bench) {
  const TestFile temporary(true);
  Result<fs::File> opened = co_await fs::File::open(temporary.path());
  fs::File file = std::move(opened).value();
  bench.start_faults(file.native_handle());
  PieceBuffer buffer;
  Read read;
  for (std::size_t position = 0; position < total_size && !bench.gives_up();) {
    const Result<std::size_t> count = co_await read(file, buffer, position);
    if (!bench.note(count)) continue;
    if (*count == 0) {
      bench.note_end();
      continue;
    }
    check_bytes(bench, buffer.data(), *count, position);
    position += *count;
  }
  if (!bench.gives_up()) bench.finish();
}

// What the page cache has is not read at once: that is another call.
template <class Read>
Task<> reads_file_by_operation(Bench& bench) {
  bench.plan().on(Call::preadv_now).always().fails(EAGAIN);
  return reads_file<Read>(bench);
}

template <class Write>
Task<> writes_file(Bench& bench) {
  const TestFile temporary(false);
  Result<fs::File> opened = co_await fs::File::open(temporary.path(), for_both());
  fs::File file = std::move(opened).value();
  bench.start_faults(file.native_handle());
  Write write;
  for (std::size_t position = 0; position < total_size && !bench.gives_up();) {
    const PieceBuffer bytes = bytes_from(position);
    const ConstBuffer rest(bytes.data(), std::min(piece, total_size - position));
    const Result<std::size_t> count = co_await write(file, rest, position);
    if (bench.note(count)) position += *count;
  }
  bench.expect(bench.gives_up() || temporary.is_right(), "what was written is not in the file");
  if (!bench.gives_up()) bench.finish();
}

Task<> syncs_file(Bench& bench) {
  const TestFile temporary(true);
  fs::File file = (co_await fs::File::open(temporary.path(), for_both())).value();
  bench.start_faults(file.native_handle());
  auto body = [&]() -> Task<bool> {
    const Result<void> synced = co_await file.sync_all();
    co_return bench.note(synced);
  };
  co_await eight_times(bench, body);
}

std::vector<int> ring_descriptors() {
  std::vector<int> fds;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry, gone) == "anon_inode:[io_uring]") {
      fds.push_back(std::stoi(entry.path().filename()));
    }
  }
  return fds;
}

// The ring that does the operations is watched by the driver's own one: it has it from the first operation on.
Task<> syncs_file_of_watched_ring(Bench& bench) {
  const TestFile temporary(true);
  fs::File file = (co_await fs::File::open(temporary.path(), for_both())).value();
  bench.start_faults(ring_descriptors());
  auto body = [&]() -> Task<bool> {
    const Result<void> synced = co_await file.sync_all();
    co_return bench.note(synced);
  };
  co_await eight_times(bench, body);
}

Task<> gets_metadata(Bench& bench) {
  const TestFile temporary(true);
  fs::File file = (co_await fs::File::open(temporary.path())).value();
  bench.start_faults(file.native_handle());
  auto body = [&]() -> Task<bool> {
    const Result<fs::Metadata> found = co_await file.metadata();
    if (!bench.note(found)) co_return false;
    bench.expect(found->size == total_size && found->is_regular(), "the metadata are another file's");
    co_return true;
  };
  co_await eight_times(bench, body);
}

Task<> sets_permissions(Bench& bench) {
  const TestFile temporary(true);
  fs::File file = (co_await fs::File::open(temporary.path())).value();
  bench.start_faults(file.native_handle());
  auto body = [&]() -> Task<bool> {
    const Result<void> set = co_await file.set_permissions(0640);
    if (!bench.note(set)) co_return false;
    const auto permissions = static_cast<unsigned>(std::filesystem::status(temporary.path()).permissions());
    bench.expect(permissions == 0640, "the file has other permissions");
    co_return true;
  };
  co_await eight_times(bench, body);
}

Task<> cuts_file(Bench& bench) {
  const TestFile temporary(true);
  fs::File file = (co_await fs::File::open(temporary.path(), for_both())).value();
  bench.start_faults(file.native_handle());
  for (std::uint64_t size = 8; size > 0 && !bench.gives_up();) {
    const Result<void> cut = co_await file.set_size(size);
    if (!bench.note(cut)) continue;
    bench.expect(std::filesystem::file_size(temporary.path()) == size, "the file has another size");
    --size;
  }
  if (!bench.gives_up()) bench.finish();
}

Task<> opens_file(Bench& bench) {
  const TestFile temporary(true);
  // A ring's request to open names the current directory.
  bench.start_faults(bench.call() == Call::ring_request ? std::vector<int>{AT_FDCWD} : std::vector<int>());
  auto body = [&]() -> Task<bool> {
    const Result<fs::File> file = co_await fs::File::open(temporary.path());
    if (!bench.note(file)) co_return false;
    PieceBuffer buffer;
    const Result<std::size_t> count = co_await file->read_at(buffer, 0);
    bench.expect(count.has_value() && *count == piece, "the file cannot be read");
    co_return true;
  };
  co_await eight_times(bench, body);
}

// Since Linux 6.9; older ones leave it to threads.
bool ring_can_set_size() {
  constexpr int ftruncate_opcode = 55;  // IORING_OP_FTRUNCATE
  io_uring_probe* const probe = io_uring_get_probe();
  const bool can = probe != nullptr && io_uring_opcode_supported(probe, ftruncate_opcode) != 0;
  io_uring_free_probe(probe);
  return can;
}

}  // namespace

std::vector<OperationUnderTest> file_operations() {
  const auto on_file = [](const char* name, Call call, const char* reported_as, Task<> (*run)(Bench&)) {
    return OperationUnderTest{
        .name = name, .call = call, .reported_as = reported_as, .run = run, .subject = "skua-faults-"};
  };
  const auto transfer = [&](const char* name, Call call, const char* reported_as, Task<> (*run)(Bench&)) {
    OperationUnderTest operation = on_file(name, call, reported_as, run);
    operation.transfers = true;
    if (call == Call::pread) operation.zero = Answer::reports_the_end;
    return operation;
  };
  std::vector<OperationUnderTest> all;
  for (const OperationUnderTest& one : {
           on_file("file_open", Call::open, "open", &opens_file),
           transfer("file_read", Call::pread, "read", &reads_file_by_operation<ReadAt>),
           transfer("file_read_vectored", Call::pread, "read", &reads_file_by_operation<ReadTwoPartsAt>),
           transfer("file_read_on", Call::pread, "read", &reads_file_by_operation<ReadOn>),
           transfer("file_write", Call::pwrite, "write", &writes_file<WriteAt>),
           transfer("file_write_vectored", Call::pwrite, "write", &writes_file<WriteTwoPartsAt>),
           transfer("file_write_on", Call::pwrite, "write", &writes_file<WriteOn>),
           on_file("file_sync", Call::fsync, "sync_all", &syncs_file),
           on_file("file_set_size", Call::ftruncate, "set_size", &cuts_file),
           on_file("file_metadata", Call::statx, "metadata", &gets_metadata),
       }) {
    if (one.call != Call::ftruncate || ring_can_set_size()) all.push_back(by_ring(one));
    all.push_back(by_threads(one));
    if (one.call == Call::statx) all.back().impossible = {EINTR, EAGAIN};
  }
  // io_uring has no such request.
  OperationUnderTest permissions = on_file("file_set_permissions", Call::fchmod, "set_permissions", &sets_permissions);
  permissions.impossible = {EINTR, EAGAIN};
  all.push_back(permissions);
  // In the thread mode, for there is one such ring. It is watched again without a word to anybody.
  OperationUnderTest watched = watch_of(on_file("file_sync", Call::fsync, "", &syncs_file_of_watched_ring));
  watched.reported_as = {};
  watched.only_in = ReactorMode::thread;
  all.push_back(watched);
  // What cannot be read at once is read otherwise.
  OperationUnderTest now = transfer("file_read_now", Call::preadv_now, "read", &reads_file<ReadAt>);
  now.retried = {EINTR, EAGAIN, EOPNOTSUPP, ENOSYS, EPERM};
  now.zero = Answer::reports_the_end;
  all.push_back(now);
  return all;
}

}  // namespace skua::tests
