// Pipes, FIFOs, and other descriptors that can be polled (AsyncFd).
#include "fault_case.hpp"
#include "peer.hpp"
#include "stream_runs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace skua::tests {

namespace {

using namespace std::chrono_literals;

struct PipeEnds {
  PipeEnds() {
    int fds[2] = {-1, -1};
    if (::pipe2(fds, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
    reading = Descriptor(fds[0]);
    writing = Descriptor(fds[1]);
  }
  Descriptor reading;
  Descriptor writing;
};

struct PipeToRead {
  static Task<Linked<PipeReader>> make() {
    PipeEnds ends;
    PipeReader reader = PipeReader::from_fd(OwnedFd(ends.reading.release())).value();
    co_return Linked<PipeReader>(std::move(reader), std::move(ends.writing));
  }
};
struct PipeToWrite {
  static Task<Linked<PipeWriter>> make() {
    PipeEnds ends;
    PipeWriter writer = PipeWriter::from_fd(OwnedFd(ends.writing.release())).value();
    co_return Linked<PipeWriter>(std::move(writer), std::move(ends.reading));
  }
};
struct FdToRead {
  static Task<Linked<AsyncFd>> make() {
    PipeEnds ends;
    AsyncFd fd = AsyncFd::adopt(OwnedFd(ends.reading.release())).value();
    co_return Linked<AsyncFd>(std::move(fd), std::move(ends.writing));
  }
};
struct FdToWrite {
  static Task<Linked<AsyncFd>> make() {
    PipeEnds ends;
    AsyncFd fd = AsyncFd::adopt(OwnedFd(ends.writing.release())).value();
    co_return Linked<AsyncFd>(std::move(fd), std::move(ends.reading));
  }
};

// --- Making them

Task<> makes_pipes(Bench& bench) {
  bench.start_faults();
  auto body = [&]() -> Task<bool> {
    Result<Pipe> ends = pipe();
    if (!bench.note(ends)) co_return false;
    std::array<char, 4> buffer;
    const Result<void> written = co_await ends->writer.write_all("ping");
    const Result<std::size_t> count = co_await ends->reader.read(buffer);
    bench.expect(written.has_value() && count.has_value() && *count == 4, "the pipe does not work");
    co_return true;
  };
  co_await eight_times(bench, body);
}

Task<> adopts(Bench& bench) {
  bench.start_faults();
  auto body = [&]() -> Task<bool> {
    PipeEnds ends;
    Result<AsyncFd> fd = AsyncFd::adopt(OwnedFd(ends.reading.release()));
    if (!bench.note(fd)) co_return false;
    std::array<char, 4> buffer;
    bench.expect(::write(ends.writing.get(), "ping", 4) == 4, "the descriptor was not left alone");
    const Result<std::size_t> count = co_await fd->read(buffer);
    bench.expect(count.has_value() && *count == 4, "the descriptor cannot be read");
    co_return true;
  };
  co_await eight_times(bench, body);
}

Task<> borrows(Bench& bench) {
  const PipeEnds ends;
  ::fcntl(ends.reading.get(), F_SETFL, O_NONBLOCK);
  bench.start_faults();
  auto body = [&]() -> Task<bool> {
    Result<AsyncFd> fd = AsyncFd::borrow(ends.reading.get());
    if (!bench.note(fd)) co_return false;
    std::array<char, 4> buffer;
    bench.expect(::write(ends.writing.get(), "ping", 4) == 4, "the descriptor was not left alone");
    const Result<std::size_t> count = co_await fd->read(buffer);
    bench.expect(count.has_value() && *count == 4, "the descriptor cannot be read");
    co_return true;
  };
  co_await eight_times(bench, body);
}

// --- FIFOs

class TestFifo {
 public:
  TestFifo() {
    if (::mkdtemp(directory_.data()) == nullptr || ::mkfifo(path().c_str(), 0600) != 0) {
      throw std::system_error(errno, std::generic_category(), "mkfifo");
    }
  }
  ~TestFifo() { std::filesystem::remove_all(directory_); }
  std::string path() const { return directory_ + "/fifo"; }

 private:
  std::string directory_ = (std::filesystem::temp_directory_path() / "skua-faults-XXXXXX").string();
};

Task<> opens_fifos(Bench& bench) {
  const TestFifo fifo;
  bench.start_faults();
  auto body = [&]() -> Task<bool> {
    const Result<PipeReader> reader = Fifo(fifo.path()).open_reader();
    co_return bench.note(reader);
  };
  co_await eight_times(bench, body);
}

Task<> opens_read_fifos(Bench& bench) {
  const TestFifo fifo;
  const PipeReader reader = Fifo(fifo.path()).open_reader().value();
  bench.start_faults();
  auto body = [&]() -> Task<bool> {
    const Result<PipeWriter> writer = co_await Fifo(fifo.path()).wait_for_reader();
    co_return bench.note(writer);
  };
  co_await eight_times(bench, body);
}

/// Writers come and go, one after the other: when one has gone the reader sees an end, until it finds that another one
/// has come. Each waits for that before he writes, and for the reader to have read before he goes.
class Writers {
 public:
  static constexpr std::size_t count = 6;

  Writers(const std::string& fifo, Pace& pace, const FaultPlan& plan)
      : pace_(pace), thread_([this, fifo, &plan] {
          for (std::size_t i = 0; i < count && !pace_.is_stopped(); ++i) {
            const std::uint64_t reads_before = plan.calls(Call::read);
            const Descriptor writer(::open(fifo.c_str(), O_WRONLY | O_CLOEXEC));
            // Not for ever: the reader tries nothing before the first event, nor if it has not heard of the last end.
            for (int tries = 0; tries < 100 && plan.calls(Call::read) == reads_before; ++tries)
              std::this_thread::sleep_for(50us);
            const PieceBuffer bytes = bytes_from(i * piece);
            if (::write(writer.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(piece)) return;
            pace_.wait((i + 1) * piece);
          }
        }) {}
  ~Writers() {
    pace_.stop();
    thread_.join();
  }

 private:
  Pace& pace_;
  std::thread thread_;
};

Task<> reads_fifo_of_many_writers(Bench& bench) {
  const TestFifo fifo;
  PipeReader reader = Fifo(fifo.path()).open_reader().value();
  Pace pace(bench.plan());
  bench.start_faults(bench.call() == Call::epoll_wait ? std::vector<int>() : std::vector<int>{reader.native_handle()});
  const Writers writers(fifo.path(), pace, bench.plan());
  PieceBuffer buffer;
  for (std::size_t total = 0; total < Writers::count * piece && !bench.gives_up();) {
    const Result<std::size_t> read = co_await reader.read(buffer);
    if (!bench.note(read)) continue;
    if (*read == 0) co_await sleep(200us);  // until the next writer comes
    check_bytes(bench, buffer.data(), *read, total);
    total += *read;
    pace.done(*read);
  }
  if (!bench.gives_up()) bench.finish();
}

std::vector<OperationUnderTest> pipes() {
  const OperationUnderTest read = {.name = "pipe_read",
                                   .call = Call::read,
                                   .reported_as = "read",
                                   .run = &reads<PipeToRead, ReadOne>,
                                   .transfers = true,
                                   .zero = Answer::reports_the_end};
  return {
      {.name = "pipe_make",
       .call = Call::pipe2,
       .reported_as = "pipe",
       .run = &makes_pipes,
       .retried = {},
       .impossible = {EINTR}},
      read,
      watch_of(read),
      {.name = "pipe_read_vectored",
       .call = Call::readv,
       .reported_as = "read_vectored",
       .run = &reads<PipeToRead, ReadTwoParts>,
       .transfers = true,
       .zero = Answer::reports_the_end},
      {.name = "pipe_write",
       .call = Call::write,
       .reported_as = "write",
       .run = &writes<PipeToWrite, WriteOne>,
       .transfers = true},
      {.name = "pipe_write_vectored",
       .call = Call::writev,
       .reported_as = "write_vectored",
       .run = &writes<PipeToWrite, WriteTwoParts>,
       .transfers = true},
      {.name = "pipe_write_all",
       .call = Call::write,
       .reported_as = "write_all",
       .run = &writes_all<PipeToWrite>,
       .transfers = true},
  };
}

std::vector<OperationUnderTest> fifos() {
  // An end is nothing new there: it comes after each writer.
  const OperationUnderTest read = {.name = "fifo_read",
                                   .call = Call::read,
                                   .reported_as = "read",
                                   .run = &reads_fifo_of_many_writers,
                                   .transfers = true,
                                   .zero = Answer::as_if_nothing_happened};
  return {
      {.name = "fifo_open_reader",
       .call = Call::open,
       .reported_as = "open for reading",
       .run = &opens_fifos,
       .retried = {EINTR},
       .subject = "skua-faults-"},
      {.name = "fifo_open_reader_status",
       .call = Call::fstat,
       .reported_as = "open for reading",
       .run = &opens_fifos,
       .retried = {},
       .impossible = {EINTR},
       .subject = "skua-faults-"},
      {.name = "fifo_open_writer",
       .call = Call::open,
       .reported_as = "open for writing",
       .run = &opens_read_fifos,
       .retried = {EINTR},
       .subject = "skua-faults-"},
      // Nobody reads yet.
      {.name = "fifo_wait_for_reader",
       .call = Call::open,
       .reported_as = "open for writing",
       .run = &opens_read_fifos,
       .retried = {ENXIO},
       .faults = {Fault(Fault::Kind::error, ENXIO)}},
      read,
      watch_of(read),
      {.name = "fifo_read_wait",
       .call = Call::epoll_wait,
       .reported_as = "",
       .run = &reads_fifo_of_many_writers,
       .zero = Answer::as_if_nothing_happened,
       .faults = {Fault(Fault::Kind::error, EINTR), Fault(Fault::Kind::error, ENOMEM), Fault(Fault::Kind::zero),
                  Fault(Fault::Kind::delay, 0, 0, 3ms)},
       .only_on = Backend::epoll},
  };
}

std::vector<OperationUnderTest> other_descriptors() {
  const auto does_not_wait = [](const char* name, Call call, const char* reported_as, Task<> (*run)(Bench&)) {
    return OperationUnderTest{.name = name,
                              .call = call,
                              .reported_as = reported_as,
                              .run = run,
                              .retried = {},
                              .impossible = {EINTR},
                              .subject = "descriptor "};
  };
  const OperationUnderTest read = {.name = "async_fd_read",
                                   .call = Call::read,
                                   .reported_as = "read",
                                   .run = &reads<FdToRead, ReadOne>,
                                   .transfers = true,
                                   .zero = Answer::reports_the_end};
  return {
      does_not_wait("async_fd_adopt", Call::fcntl, "adopt", &adopts),
      does_not_wait("async_fd_adopt_check", Call::epoll_create, "adopt", &adopts),
      does_not_wait("async_fd_borrow", Call::fcntl, "borrow", &borrows),
      does_not_wait("async_fd_borrow_check", Call::epoll_create, "borrow", &borrows),
      read,
      watch_of(read),
      {.name = "async_fd_read_vectored",
       .call = Call::readv,
       .reported_as = "read_vectored",
       .run = &reads<FdToRead, ReadTwoParts>,
       .transfers = true,
       .zero = Answer::reports_the_end},
      {.name = "async_fd_write",
       .call = Call::write,
       .reported_as = "write",
       .run = &writes<FdToWrite, WriteOne>,
       .transfers = true},
      {.name = "async_fd_write_vectored",
       .call = Call::writev,
       .reported_as = "write_vectored",
       .run = &writes<FdToWrite, WriteTwoParts>,
       .transfers = true},
      {.name = "async_fd_write_all",
       .call = Call::write,
       .reported_as = "write_all",
       .run = &writes_all<FdToWrite>,
       .transfers = true},
  };
}

}  // namespace

std::vector<OperationUnderTest> pipe_operations() {
  std::vector<OperationUnderTest> all = pipes();
  for (const auto& table : {fifos(), other_descriptors()}) all.insert(all.end(), table.begin(), table.end());
  return all;
}

}  // namespace skua::tests
