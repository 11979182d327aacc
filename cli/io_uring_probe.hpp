// Tries what the runtime needs of io_uring, piece by piece. (reactor/poller.hpp tries all of it at once.)
#pragma once

#include <string>
#include <vector>

namespace skua::cli {

struct IoUringProbe {
  int error = 0;                     // errno of creating a plain ring; 0: it can be created
  int operations = 0;                // operations that this kernel knows
  std::vector<std::string> present;  // what the runtime uses: there
  std::vector<std::string> missing;  // and not there
};

IoUringProbe probe_io_uring();

}  // namespace skua::cli
