// The subcommands of `skua`. Each is a file, which defines its add_...(); main() adds them all.
#pragma once

namespace CLI {
class App;
}

namespace skua::cli {

void add_config_check(CLI::App& config);
void add_config_explain(CLI::App& config);
void add_config_print(CLI::App& config);
void add_doctor(CLI::App& app);
void add_new(CLI::App& app);

/// For the callback of a subcommand: ends the parsing, and main() with this exit code.
[[noreturn]] void end_with(int exit_code);

}  // namespace skua::cli
