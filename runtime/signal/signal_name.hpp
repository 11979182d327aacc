// signal_name(): "SIGTERM" for SIGTERM.
#pragma once

#include <string>

namespace skua {

/// "SIGTERM", "SIGRTMIN+2"; "signal 99" for a number that is none.
std::string signal_name(int number);

}  // namespace skua
