// reactor/readiness.hpp: an event that comes between a failed read and the clearing of the readiness is not lost.
//
// The socket is a number of bytes under a mutex, as the kernel sees it. The reader mirrors IoOperation::poll() and
// IoSource::wait_ready(); the peer, who is also the driver, mirrors IoSource::on_event().
#include "harness.hpp"

#include <skua/reactor/readiness.hpp>

using namespace skua;
using reactor::Readiness;

namespace {

constexpr int all = 100;

struct Source {
  int receive(int most) {
    const seam::Lock lock(kernel);
    const int count = bytes < most ? bytes : most;
    bytes -= count;
    return count;
  }

  void arrive(int count, bool last) {
    {
      const seam::Lock lock(kernel);
      bytes += count;
    }
    readiness.note_event(last);
    const seam::Lock lock(waiters);
    if (enlisted) {
      enlisted = false;
      condition.notify_one();
    }
  }

  void wait_ready() {
    const seam::Lock lock(waiters);
    if (Readiness::is_ready(readiness.snapshot())) return;
    enlisted = true;
    while (enlisted) condition.wait(waiters);
  }

  // One read of at most `most` bytes; waits for the first.
  int read(int most) {
    for (;;) {
      const auto seen = readiness.snapshot();
      if (Readiness::is_ready(seen)) {
        const int count = receive(most);
        if (count != 0) {
          if (count < most) readiness.clear(seen);  // a short read: nothing is left
          return count;
        }
        if (Readiness::is_closed(seen)) return 0;
        readiness.clear(seen);
      }
      wait_ready();
    }
  }

  Readiness readiness;
  seam::Mutex kernel;
  int bytes = 0;
  seam::Mutex waiters;
  seam::Condvar condition;
  bool enlisted = false;
};

// Two arrivals, each of which may fall anywhere into a read that finds nothing, or too little.
struct ArrivalsDuringReads : rl::test_suite<ArrivalsDuringReads, 2> {
  void thread(unsigned i) {
    if (i == 1) {
      source.arrive(1, false);
      source.arrive(1, false);
    } else {
      for (int received = 0; received < 2;) received += source.read(all);
    }
  }
  void after() { model::check(source.bytes == 0, "all bytes were read"); }
  Source source;
};

// The end of the stream comes with the last byte: the read that takes the byte must not hide the end.
struct EndWithTheLastByte : rl::test_suite<EndWithTheLastByte, 2> {
  void thread(unsigned i) {
    if (i == 1) {
      source.arrive(1, false);
      source.arrive(1, true);
    } else {
      int received = 0;
      while (const int count = source.read(all)) received += count;
      model::check(received == 2, "the end comes after all bytes");
    }
  }
  void after() {}
  Source source;
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("readiness", argc, argv);
  runner.run<ArrivalsDuringReads, model::Search::random>("arrivals_during_reads");
  runner.run<EndWithTheLastByte, model::Search::random>("end_with_the_last_byte");
  return runner.exit_code();
}
