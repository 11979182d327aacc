// ControlAddress: where a control endpoint may listen: on a Unix socket, or on this machine's loopback. Private.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace skua {

struct ControlAddress {
  enum class Kind : std::uint8_t { unix_socket, loopback_4, loopback_6 };

  Kind kind = Kind::unix_socket;
  std::string path;        // of a Unix socket
  std::uint16_t port = 0;  // of loopback; 0: the system chooses

  /// "/run/app.sock", "127.0.0.1:9180", "[::1]:9180". None: something else, or a path that is too long.
  static std::optional<ControlAddress> parse(std::string_view text);
  std::string to_string() const;
};

}  // namespace skua
