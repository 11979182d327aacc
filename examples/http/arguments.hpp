// The server's own arguments; those of the runtime are skua::config's.
#pragma once

#include "http/timeouts.hpp"

#include <skua/core/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace http {

struct Arguments {
  std::uint16_t port = 8080;        // --port, 0 for any that is free
  std::size_t connections = 10000;  // --connections, at a time
  Timeouts timeouts;                // --idle-timeout-ms and so on, for tests
};

/// Errors: std::errc::invalid_argument, naming the argument.
skua::Result<Arguments> parse_arguments(std::span<const std::string_view> arguments);

}  // namespace http
