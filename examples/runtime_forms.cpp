// The forms of a runtime: on this thread alone, inside of a loop that is not ours; its workers; functions that block; and its end.
#include <skua/skua.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include <poll.h>

using namespace skua;
using namespace std::chrono_literals;

Task<int> counts_to(int last) {
  for (int i = 0; i < last; ++i) co_await sleep(1ms);
  co_return last;
}

// docs:begin current_thread
int on_this_thread_alone() {
  Runtime runtime = Builder().current_thread().build().value();
  auto beside = runtime.spawn(counts_to(3));  // runs while somebody is in block_on()
  const int here = runtime.block_on(counts_to(5));
  return here + runtime.block_on(std::move(beside)).value();
}
// docs:end

// docs:begin embedding
int in_a_loop_of_others() {
  Runtime runtime = Builder().current_thread().build().value();
  auto counting = runtime.spawn(counts_to(3));
  const int fd = runtime.native_fd().value();
  for (;;) {
    const bool more = runtime.run_once();
    if (counting.is_finished()) return counting.take_output().value();
    int wait = more ? 0 : -1;  // milliseconds; for ever
    if (const auto deadline = runtime.next_deadline(); deadline && !more) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - seam::now());
      wait = std::max(0, static_cast<int>(left.count()));
    }
    pollfd watched{.fd = fd, .events = POLLIN, .revents = 0};  // and what else the loop watches
    ::poll(&watched, 1, wait);
  }
}
// docs:end

// docs:begin workers
std::uint32_t with_more_and_fewer_workers() {
  const Runtime runtime = Builder().workers(1).workers_limit(4).build().value();
  const Handle handle = runtime.handle();
  handle.set_workers(4).value();  // the night's batch
  handle.set_workers(2).value();
  const auto refused = handle.set_workers(5);  // workers = "5" (from set_workers()) is more than workers_limit = ...
  return refused ? 0 : handle.workers();
}
// docs:end

// docs:begin blocking
Task<Result<std::size_t>> compress(std::string text) {
  auto work = [text = std::move(text)] { return text.size() / 2; };   // owns what it uses
  auto compressing = co_await try_(spawn_blocking(std::move(work)));  // waits for a place
  co_return (co_await compressing).value();                           // a JoinHandle, as of any task
}
// docs:end

// docs:begin in_place
Task<std::size_t> first_line_length(const std::string& text) {
  auto slow = [&] { return text.find('\n'); };  // may borrow: it runs here, and the worker's other tasks elsewhere
  co_return block_in_place(slow);
}
// docs:end

// docs:begin shutdown
bool ends_in_time() {
  Runtime runtime;
  runtime.spawn(counts_to(1'000'000)).detach();
  const ShutdownReport report = runtime.shutdown(5s, 10ms);  // all of it; of that, for tasks to end by themselves
  std::fputs(report.to_string().c_str(), stdout);            // task 256, waiting at runtime_forms.cpp:18
  return report.is_complete && report.refused.size() == 1;
}
// docs:end

int main() {
  const int alone = on_this_thread_alone();
  const int embedded = in_a_loop_of_others();
  const std::uint32_t workers = with_more_and_fewer_workers();
  Runtime runtime;
  const std::size_t compressed = runtime.block_on(compress("abcdef")).value();
  const std::string text = "first\nsecond";
  const std::size_t first_line = runtime.block_on(runtime.spawn(first_line_length(text))).value();
  std::printf("%d %d %u %zu %zu\n", alone, embedded, workers, compressed, first_line);
  return alone == 8 && embedded == 3 && workers == 2 && compressed == 3 && first_line == 5 && ends_in_time() ? 0 : 1;
}
