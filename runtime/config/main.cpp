#include <skua/config/load.hpp>
#include <skua/config/main.hpp>
#include <skua/config/print.hpp>
#include <skua/runtime.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>

namespace skua {

namespace {

using namespace std::chrono_literals;

constexpr int failed = 1;
constexpr int misused = 2;
constexpr Duration grace_after_a_signal = 5s;
constexpr Duration limit = 10s;

int complain(const std::string& message, int code) {
  std::fprintf(stderr, "%s\n", message.c_str());
  return code;
}

std::string describe(const JoinError& error) {
  try {
    error.raise();
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

int exit_code_of(JoinResult<Result<int>> joined) {
  if (!joined) return complain(describe(joined.error()), failed);
  if (!*joined) return complain(joined->error().message(), failed);
  return **joined;
}

}  // namespace

int run_main(int argc, char** argv, Task<Result<int>> (*body)(MainArguments), Options from_code) {
  auto loaded = config::load(argc, argv, std::move(from_code));
  if (!loaded) return complain(loaded.error().message(), misused);
  if (loaded->is_to_print) {
    std::fputs(config::describe(loaded->options).c_str(), stdout);
    return 0;
  }
  auto signals = StopSignals::listen();
  if (!signals) return complain(signals.error().message(), failed);
  auto runtime = Builder().options(std::move(loaded->options)).build();
  if (!runtime) return complain(runtime.error().message(), failed);

  runtime->spawn(StopSignals::wait(*std::move(signals))).detach();
  const int code = exit_code_of(runtime->block_on(runtime->spawn(body(std::move(loaded->rest)))));

  const Duration grace = shutdown_signal().is_cancelled() ? grace_after_a_signal : 0s;
  const ShutdownReport report = runtime->shutdown(limit, grace);
  if (const std::string text = report.to_string(); !text.empty()) std::fputs(text.c_str(), stderr);
  if (report.is_complete) return code;
  // A thread still runs, and would find what main()'s end destroys.
  std::fflush(nullptr);
  std::_Exit(code);
}

}  // namespace skua
