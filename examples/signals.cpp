// A program that works until it is told to end (SIGTERM or ^C), finishes what it has begun, and reads its configuration
// again when it is told to (SIGHUP).
#include <skua/skua.hpp>

#include <csignal>
#include <cstdio>

using namespace skua;
using namespace std::chrono_literals;

void say(const char* what) {
  std::puts(what);
  std::fflush(stdout);
}

// docs:begin serve
Task<Result<void>> serve_until_told_to_end() {
  Signal terminate = co_await try_(Signal::listen(SIGTERM));
  Signal interrupt = co_await try_(Signal::listen(SIGINT));
  Signal hang_up = co_await try_(Signal::listen(SIGHUP));
  say("ready");
  for (;;) {
    // The last one stands for the work of the program.
    auto first = co_await select(terminate.next(), interrupt.next(), hang_up.next(), sleep(1ms));
    if (first.index() == 2) say("configuration read again");
    if (first.index() < 2) co_return {};
  }
}
// docs:end

// docs:begin finish
Task<bool> serve() {
  const Result<void> served = co_await serve_until_told_to_end();
  if (!served) std::fprintf(stderr, "%s\n", served.error().message().c_str());
  // Nobody listens any more: whoever cannot wait for the following ends the program by a second ^C.
  say("finishing");
  co_await sleep(100ms);
  say("done");
  co_return served.has_value();
}
// docs:end

// docs:begin ctrl_c
Task<Result<void>> work_until_ctrl_c() {
  auto first = co_await select(ctrl_c(), sleep(10s));
  if (first.index() == 0) co_return std::get<0>(std::move(first));
  co_return {};
}
// docs:end

int main(int argc, char**) {
  Runtime runtime;
  if (argc > 1) return runtime.block_on(work_until_ctrl_c()) ? 0 : 1;
  return runtime.block_on(serve()) ? 0 : 1;
}
