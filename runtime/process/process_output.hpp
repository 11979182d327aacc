// ProcessOutput: what a program wrote, and how it ended.
#pragma once

#include <skua/process/exit_status.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace skua {

/// How much is collected from each of standard output and standard error before it is an error.
inline constexpr std::size_t default_output_limit = std::size_t{16} << 20;

struct ProcessOutput {
  ProcessOutput(ExitStatus how, std::string output, std::string errors) noexcept
      : status(how), standard_output(std::move(output)), standard_error(std::move(errors)) {}
  ExitStatus status;
  std::string standard_output;  // empty if it was no pipe
  std::string standard_error;   // likewise
};

}  // namespace skua
