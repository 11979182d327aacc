#include "command.hpp"

#include <CLI/CLI.hpp>

namespace skua::cli {

void end_with(int exit_code) { throw CLI::RuntimeError(exit_code); }

}  // namespace skua::cli
