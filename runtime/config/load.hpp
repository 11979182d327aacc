// Options from everywhere: code < skua.toml < SKUA_* environment variables < command line.
//
//   auto loaded = skua::config::load(argc, argv).value();
//   auto runtime = skua::Builder().options(loaded.options).build().value();   // loaded.rest: its own arguments
//
// The file looks like this; every key may be left out (output of skua config print --toml --brief):
//   workers = "auto"           # auto or a number from 1 to 1024 (threads)
//   workers_limit = "auto"     # auto or a number from 1 to 1024 (threads)
//   backend = "auto"           # auto, io_uring or epoll
//   [reactor]
//   mode = "workers"           # workers or thread
//   [io_uring]
//   submission_entries = 256   # a number from 2 to 32768 (entries)
//   completion_entries = 4096  # a number from 4 to 65536 (entries)
//   [blocking]
//   threads = 64               # a number from 1 to 1024 (threads)
//   queue = 1024               # a number from 1 to 1000000 (functions)
//   keep_alive_ms = 10000      # a number from 0 to 3600000 (ms)
//   [metrics]
//   poll_sample = 64           # a number from 0 to 1000000 (polls)
//   schedule_latency = "off"   # off or on
//   [control]
//   listen = "off"             # off, /PATH, 127.0.0.1:PORT or [::1]:PORT
//
// Nothing here is fast or meant for later than the start of a program. Thread safety: as std::getenv.
#pragma once

#include <skua/core/result.hpp>
#include <skua/options.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace skua::config {

struct Loaded {
  Options options;
  /// The arguments after argv[0] that are not ours, in order; they refer to argv. "--" ends ours, and is kept.
  std::vector<std::string_view> rest;
  /// --print-config was among them: print describe(options), and end.
  bool is_to_print = false;
};

/// Merges all sources. `from_code` holds the program's own defaults, and what it has locked. The file is the one that
/// SKUA_CONFIG names, else ./skua.toml if there is one. Ours on the command line are --print-config, and each key as a
/// flag: `--reactor-mode thread` or `--reactor-mode=thread`. Other flags are the program's; if they are not, see
/// unknown_argument().
///
/// Errors: equal to std::errc::invalid_argument for a bad value, an unknown key or a syntax error, with file and line,
/// variable or flag; to operation_not_permitted for a key that code has locked; what open() and read() say about the
/// file.
Result<Loaded> load(int argc, const char* const* argv, Options from_code = {});

/// What a program says to an argument that it does not know either. For a flag: "option --wrokers (from command line;
/// did you mean --workers?): no such option".
Error unknown_argument(std::string_view argument);

/// Takes what the TOML file `path` sets. Errors: as load(); `options` is then unchanged.
Result<void> load_file(Options& options, const std::filesystem::path& path);

/// The same from text that is at hand; errors call it `name`.
Result<void> load_text(Options& options, std::string_view text, const std::string& name);

/// Everything that load_file() could have against the file, in the order of its lines. Empty: nothing.
std::vector<Error> check_file(const std::filesystem::path& path);

}  // namespace skua::config
