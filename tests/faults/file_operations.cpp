// Files: by io_uring, where the request fails, and by the blocking pool, where the system call does.
#include "fault_case.hpp"
#include "peer.hpp"
#include "stream_runs.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace skua::tests {

namespace {

constexpr std::size_t total_size = pieces * piece;
constexpr int rounds = 8;

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

Task<> reads_file(Bench& bench) {
  const TestFile temporary(true);
  fs::File file = (co_await fs::File::open(temporary.path())).value();
  bench.start_faults(file.native_handle());
  PieceBuffer buffer;
  for (std::size_t position = 0; position < total_size && !bench.gives_up();) {
    const Result<std::size_t> count = co_await file.read_at(buffer, position);
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
Task<> reads_file_by_operation(Bench& bench) {
  bench.plan().on(Call::preadv_now).always().fails(EAGAIN);
  return reads_file(bench);
}

Task<> writes_file(Bench& bench) {
  const TestFile temporary(false);
  fs::File file = (co_await fs::File::open(temporary.path(), for_both())).value();
  bench.start_faults(file.native_handle());
  for (std::size_t position = 0; position < total_size && !bench.gives_up();) {
    const PieceBuffer bytes = bytes_from(position);
    const ConstBuffer rest(bytes.data(), std::min(piece, total_size - position));
    const Result<std::size_t> count = co_await file.write_at(rest, position);
    if (bench.note(count)) position += *count;
  }
  bench.expect(bench.gives_up() || temporary.is_right(), "what was written is not in the file");
  if (!bench.gives_up()) bench.finish();
}

Task<> syncs_file(Bench& bench) {
  const TestFile temporary(true);
  fs::File file = (co_await fs::File::open(temporary.path(), for_both())).value();
  bench.start_faults(file.native_handle());
  for (int done = 0; done < rounds && !bench.gives_up();) {
    const Result<void> synced = co_await file.sync_all();
    done += bench.note(synced) ? 1 : 0;
  }
  if (!bench.gives_up()) bench.finish();
}

Task<> cuts_file(Bench& bench) {
  const TestFile temporary(true);
  fs::File file = (co_await fs::File::open(temporary.path(), for_both())).value();
  bench.start_faults(file.native_handle());
  for (std::uint64_t size = rounds; size > 0 && !bench.gives_up();) {
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
  for (int done = 0; done < rounds && !bench.gives_up();) {
    const Result<fs::File> file = co_await fs::File::open(temporary.path());
    if (!bench.note(file)) continue;
    PieceBuffer buffer;
    const Result<std::size_t> count = co_await file->read_at(buffer, 0);
    bench.expect(count.has_value() && *count == piece, "the file cannot be read");
    ++done;
  }
  if (!bench.gives_up()) bench.finish();
}

// In the kernel's hands: what the errors of a ring's request and of a thread's call have in common.
OperationUnderTest on_ring(OperationUnderTest operation) {
  operation.name = "ring_" + operation.name;
  operation.call = Call::ring_request;
  // Whoever submitted it has ended, or was interrupted: nobody asked for it, and it is submitted again.
  operation.retried = {EINTR, ECANCELED};
  operation.impossible = {EAGAIN};
  operation.faults.clear();
  for (const int error : {EINTR, ECANCELED, ENOBUFS, ENOMEM, EIO, ENOSPC, EBADF, EINVAL, EMFILE, ENFILE}) {
    operation.faults.emplace_back(Fault::Kind::error, error);
  }
  if (operation.transfers) {
    operation.faults.emplace_back(Fault::Kind::short_count, 0, 1u);
    operation.faults.emplace_back(Fault::Kind::all_but, 0, 1u);
  }
  operation.only_on = Backend::io_uring;
  return operation;
}
OperationUnderTest on_threads(OperationUnderTest operation) {
  operation.retried = {EINTR};
  operation.impossible = {EAGAIN};
  operation.only_on = Backend::epoll;
  return operation;
}

}  // namespace

std::vector<OperationUnderTest> file_operations() {
  const OperationUnderTest read = {.name = "file_read",
                                   .call = Call::pread,
                                   .reported_as = "read",
                                   .run = &reads_file_by_operation,
                                   .transfers = true,
                                   .zero = Answer::reports_the_end,
                                   .subject = "skua-faults-"};
  const OperationUnderTest write = {.name = "file_write",
                                    .call = Call::pwrite,
                                    .reported_as = "write",
                                    .run = &writes_file,
                                    .transfers = true,
                                    .subject = "skua-faults-"};
  const OperationUnderTest sync = {.name = "file_sync",
                                   .call = Call::fsync,
                                   .reported_as = "sync_all",
                                   .run = &syncs_file,
                                   .subject = "skua-faults-"};
  const OperationUnderTest cut = {.name = "file_set_size",
                                  .call = Call::ftruncate,
                                  .reported_as = "set_size",
                                  .run = &cuts_file,
                                  .subject = "skua-faults-"};
  const OperationUnderTest open = {
      .name = "file_open", .call = Call::open, .reported_as = "open", .run = &opens_file, .subject = "skua-faults-"};
  std::vector<OperationUnderTest> all;
  for (const OperationUnderTest& one : {read, write, sync, cut, open}) {
    all.push_back(on_ring(one));
    all.push_back(on_threads(one));
  }
  // What cannot be read at once is read otherwise.
  all.push_back({.name = "file_read_now",
                 .call = Call::preadv_now,
                 .reported_as = "read",
                 .run = &reads_file,
                 .retried = {EINTR, EAGAIN, EOPNOTSUPP, ENOSYS, EPERM},
                 .transfers = true,
                 .zero = Answer::reports_the_end,
                 .subject = "skua-faults-"});
  return all;
}

}  // namespace skua::tests
