// Options from everywhere: code < skua.toml < SKUA_* environment variables < command line.
//
//   auto loaded = skua::config::load(argc, argv).value();
//   skua::Runtime runtime(loaded.options);             // loaded.rest: the program's own arguments
//
// The file looks like this; every key may be left out:
//
//   workers = "auto"      # or 1 to 1024
//   backend = "auto"      # auto, io_uring or epoll
//   [reactor]
//   mode = "workers"      # workers or thread
//   [io_uring]
//   submission_entries = 256    # 2 to 32768
//   completion_entries = 4096   # 4 to 65536
//   [blocking]
//   threads = 64                # 1 to 1024
//   queue = 1024                # 1 to 1000000
//   keep_alive_ms = 10000       # 0 to 3600000
//   [metrics]
//   poll_sample = 64            # 0 to 1000000
//   schedule_latency = "off"    # off or on
//   [control]
//   listen = "off"              # off, a path, 127.0.0.1:PORT or [::1]:PORT
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
};

/// Merges all sources. `from_code` holds the program's own defaults. The file is the one that SKUA_CONFIG names,
/// else ./skua.toml if there is one. Ours on the command line are `--workers N|auto`, `--backend X`,
/// `--reactor-mode X`, `--io-uring-submission-entries N` and `--io-uring-completion-entries N`, also with `=`.
///
/// Errors: equal to std::errc::invalid_argument for a bad value, an unknown key or a syntax error, with file and
/// line, variable or flag; what open() and read() say about the file.
Result<Loaded> load(int argc, const char* const* argv, Options from_code = {});

/// Takes what the TOML file `path` sets. Errors: as load(); `options` is then unchanged.
Result<void> load_file(Options& options, const std::filesystem::path& path);

/// One line for each option: key, value, and who set it.
std::string describe(const Options& options);

}  // namespace skua::config
