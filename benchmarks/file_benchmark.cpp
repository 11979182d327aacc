// What an operation on a file costs, by each of the ways: at once, by the ring, by the pool. Rounds are interleaved;
// printed are the medians of processor time and of elapsed time for each operation.
//
//   file_benchmark [DIRECTORY] [OPERATIONS]
#include <skua/skua.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

using namespace skua;

namespace {

constexpr std::size_t block = 4096;
constexpr std::uint64_t blocks = 4096;  // a file of 16 MiB

enum class Kind { read_at_once, read_cached, read_uncached, write, write_and_sync };

Duration processor_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

Task<> operate(const fs::File& file, Kind kind, std::uint64_t seed, int count) {
  seam::Random random(seed);
  std::string buffer(block, 'x');
  for (int i = 0; i < count; ++i) {
    const std::uint64_t offset = block * random.below(blocks);
    if (kind == Kind::write || kind == Kind::write_and_sync) {
      (co_await file.write_at(buffer, offset)).value();
    } else {
      (co_await file.read_at(buffer, offset)).value();
    }
    if (kind == Kind::write_and_sync) (co_await file.sync_data()).value();
  }
}

struct Cost {
  double processor;
  double elapsed;  // microseconds of each operation
};

Task<Cost> measure(std::string path, Kind kind, int tasks, int operations) {
  fs::File file = (co_await fs::File::open(path, fs::OpenOptions().read(true).write(true))).value();
  file.state()->answers_at_once.store(kind == Kind::read_at_once, std::memory_order_relaxed);
  (co_await file.sync_data()).value();  // what the round before has left
  if (kind == Kind::read_uncached) {
    ::posix_fadvise(file.native_handle(), 0, 0, POSIX_FADV_DONTNEED);
    ::posix_fadvise(file.native_handle(), 0, 0, POSIX_FADV_RANDOM);
  }
  const Duration processor = processor_time();
  const Instant begin = seam::now();
  std::vector<JoinHandle<void>> handles;
  for (int i = 0; i < tasks; ++i) {
    handles.push_back(spawn(operate(file, kind, static_cast<std::uint64_t>(i), operations / tasks)));
  }
  for (auto& handle : handles) (co_await handle).value();
  const auto each = [&](Duration all) { return std::chrono::duration<double, std::micro>(all).count() / operations; };
  co_return Cost{each(processor_time() - processor), each(seam::now() - begin)};
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

struct Way {
  const char* name;
  Backend backend;
  Kind kind;
  int share;  // one in so many operations: they are slow
};
constexpr std::array ways{Way{"read, cached, at once", Backend::io_uring, Kind::read_at_once, 1},
                          Way{"read, cached, ring", Backend::io_uring, Kind::read_cached, 1},
                          Way{"read, cached, pool", Backend::epoll, Kind::read_cached, 1},
                          Way{"read, uncached, ring", Backend::io_uring, Kind::read_uncached, 10},
                          Way{"read, uncached, pool", Backend::epoll, Kind::read_uncached, 10},
                          Way{"write, ring", Backend::io_uring, Kind::write, 1},
                          Way{"write, pool", Backend::epoll, Kind::write, 1},
                          Way{"write and sync, ring", Backend::io_uring, Kind::write_and_sync, 200},
                          Way{"write and sync, pool", Backend::epoll, Kind::write_and_sync, 200}};

}  // namespace

int main(int argc, char** argv) {
  std::string path = std::string(argc > 1 ? argv[1] : "/tmp") + "/skua-file-benchmark-XXXXXX";
  const int operations = argc > 2 ? std::atoi(argv[2]) : 20'000;
  const int fd = ::mkstemp(path.data());
  const std::string zeros(block * blocks, '\0');
  if (fd < 0 || ::write(fd, zeros.data(), zeros.size()) != static_cast<ssize_t>(zeros.size())) return 1;
  ::close(fd);
  Runtime ring = Builder().backend(Backend::io_uring).workers(1).build().value();
  Runtime pool = Builder().backend(Backend::epoll).workers(1).build().value();
  for (const int tasks : {1, 32}) {
    std::vector<std::array<std::vector<double>, 2>> found(ways.size());
    for (int round = 0; round < 7; ++round) {
      for (std::size_t i = 0; i < ways.size(); ++i) {
        Runtime& runtime = ways[i].backend == Backend::epoll ? pool : ring;
        auto measured = runtime.spawn(measure(path, ways[i].kind, tasks, operations / ways[i].share));
        const Cost cost = runtime.block_on(std::move(measured)).value();
        found[i][0].push_back(cost.processor);
        found[i][1].push_back(cost.elapsed);
      }
    }
    std::printf("%d task%s                 processor us   elapsed us\n", tasks, tasks == 1 ? " " : "s");
    for (std::size_t i = 0; i < ways.size(); ++i) {
      std::printf("  %-24s %10.2f %12.2f\n", ways[i].name, median(found[i][0]), median(found[i][1]));
    }
  }
  ::unlink(path.c_str());
}
