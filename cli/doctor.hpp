// `skua doctor`: can the runtime work here, and how well?
#pragma once

#include "report.hpp"

#include <skua/options.hpp>

namespace skua::cli {

// The checks, in the order of the output.

/// Options as a server started here would get them: defaults if they are wrong.
Options check_options(Report& report);
/// Kernel, io_uring, epoll, and the back end that `options` lead to.
void check_kernel(Report& report, const Options& options);
/// Processors, limits, allocator.
void check_machine(Report& report, const Options& options);
void check_compilers(Report& report);

}  // namespace skua::cli
