// What a poller does when the kernel refuses to let it wait. Private.
#pragma once

#include <skua/core/clock.hpp>

#include <optional>

namespace skua::reactor {

/// After `call`, a wait of at most `timeout`, has failed with `error` (an errno) although nobody interrupted it: pauses
/// for up to a millisecond, so that whoever tries again does not spin. Ends the program if it is no use to try: the
/// descriptor is not ours any more.
void pause_after_failed_wait(const char* call, int error, std::optional<Duration> timeout) noexcept;

}  // namespace skua::reactor
