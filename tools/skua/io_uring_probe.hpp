// Tries what the runtime needs of io_uring, by using it.
#pragma once

#include <string>
#include <vector>

namespace skua::cli {

struct IoUringProbe {
  int error = 0;                     // errno of creating a plain ring; 0: it can be created
  int operations = 0;                // operations that this kernel knows
  std::vector<std::string> present;  // features and operations that the runtime uses: there
  std::vector<std::string> missing;  // and not there
  bool usable() const { return error == 0 && missing.empty(); }
};

IoUringProbe probe_io_uring();

}  // namespace skua::cli
