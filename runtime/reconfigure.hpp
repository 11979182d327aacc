// What a running runtime does when an option changes: OptionAbout::apply of the hot rows in option_table.cpp. Private.
//
// To make an option hot: a function here, and its name in the row. It is called under the lock of the configuration, so
// that changes happen one after the other; an error leaves the configuration as it was, and is the caller's.
#pragma once

#include <skua/core/result.hpp>

namespace skua {

class RuntimeCore;
struct Options;

/// How many run tasks. Errors: invalid_argument: more than the limit.
Result<void> apply_workers(RuntimeCore& core, const Options& now);
/// Threads and keep-alive.
Result<void> apply_blocking_pool(RuntimeCore& core, const Options& now);
/// Places of spawn_blocking().
Result<void> apply_blocking_queue(RuntimeCore& core, const Options& now);

}  // namespace skua
