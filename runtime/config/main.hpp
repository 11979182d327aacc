// SKUA_MAIN: main() as a coroutine on a runtime that is set up by skua.toml, the environment and the command line.
//
//   SKUA_MAIN(arguments) {                       // what the command line says beyond the options of the runtime
//     co_await try_(serve(shutdown_signal()));
//     co_return 0;                               // the exit code
//   }
//
// The body is a Task<Result<int>> that runs on a worker. An error that it returns, or an exception that leaves it, is
// printed and makes the exit code 1; an option that is not valid makes it 2, and the body does not run. Nor does it
// with
// --print-config, which prints every option with its value and who set it.
//
// Ends. SIGINT or SIGTERM cancels shutdown_signal(), and nothing more: the body ends when it likes. A second signal
// ends the program at once. When the body has returned, tasks that are left are destroyed; if a signal was the reason,
// they may end by themselves before, for 5 seconds at most. What does not end within 10 seconds is named on standard
// error (Runtime::shutdown()), and the program ends all the same.
#pragma once

#include <skua/core/result.hpp>
#include <skua/core/task.hpp>
#include <skua/core/try.hpp>
#include <skua/options.hpp>
#include <skua/signal/shutdown_signal.hpp>

#include <string_view>
#include <vector>

namespace skua {

/// The arguments after argv[0] that are no options of the runtime, in order; they live as long as the program.
using MainArguments = std::vector<std::string_view>;

/// What SKUA_MAIN makes main() of; `from_code` holds the program's own defaults. Returns the exit code.
int run_main(int argc, char** argv, Task<Result<int>> (*body)(MainArguments), Options from_code = {});

}  // namespace skua

#define SKUA_MAIN(arguments)                                                                \
  static ::skua::Task<::skua::Result<int>> skua_main_body(::skua::MainArguments arguments); \
  int main(int argc, char** argv) { return ::skua::run_main(argc, argv, &skua_main_body); } \
  static ::skua::Task<::skua::Result<int>> skua_main_body([[maybe_unused]] ::skua::MainArguments arguments)
