// A program with known tasks, for control_test.py: does what the lines on its standard input tell.
//
//   usage: control_program BACKEND LISTEN
//     load   tasks come and go from now on
//     stuck  each worker is put into one poll that does not return
//     free   they return
//     quit
#include <skua/skua.hpp>

#include <atomic>
#include <cstdio>
#include <iostream>
#include <string>
#include <thread>

using namespace skua;

namespace {

std::atomic<bool> is_free{false};
std::atomic<std::uint32_t> stuck{0};
std::atomic<bool> is_over{false};

Task<> waits_for_ever() { co_await sleep(std::chrono::hours(24)); }

Task<> gets_stuck() {
  ++stuck;
  while (!is_free) {
  }
  --stuck;
  co_return;
}

Task<> small() { co_await yield_now(); }

Task<> load() {
  while (!is_over) {
    for (int i = 0; i < 100; ++i) std::ignore = (co_await spawn(small()));
    co_await sleep(std::chrono::microseconds(100));
  }
}

// A spawn from outside goes to the inject queue, of which a worker may take several at once: one at a time, until each
// worker has one.
void stick_all_workers(const Handle& runtime) {
  for (std::uint32_t n = 1; n <= runtime.workers(); ++n) {
    runtime.spawn(gets_stuck()).detach();
    while (stuck < n) std::this_thread::yield();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  Options options;
  for (const auto& [key, value] : {std::pair("backend", argv[1]), std::pair("control.listen", argv[2])}) {
    if (auto set = options.set(key, value, {Source::command_line, std::string("--") + key}); !set) {
      std::cerr << set.error().message() << '\n';
      return 2;
    }
  }
  auto runtime = Builder().options(options).workers(2).build();
  if (!runtime) {
    std::cerr << runtime.error().message() << '\n';
    return runtime.error().message().find("io_uring") != std::string::npos ? 77 : 1;
  }
  const Handle handle = runtime->handle();
  runtime->block_on([]() -> Task<> {
    for (int i = 0; i < 3; ++i) spawn_named("reader", waits_for_ever()).detach();
    spawn_named("<script>alert('&')</script>\x1b[31m", waits_for_ever()).detach();
    co_return;
  }());
  std::cout << "listening on " << handle.control_address() << std::endl;
  for (std::string line; std::getline(std::cin, line) && line != "quit";) {
    if (line == "load") handle.spawn(load()).detach();
    if (line == "stuck") is_free = false, stick_all_workers(handle);
    if (line == "free") is_free = true;
    std::cout << line << std::endl;
  }
  is_free = is_over = true;
  return 0;
}
