// CancelReason: why something was cancelled, for who has to clean up, to answer, or to count.
#pragma once

#include <cstdint>
#include <string_view>

namespace skua {

enum class CancelReason : std::uint8_t {
  user = 1,   // somebody asked for it
  deadline,   // it took too long
  overload,   // there is too much to do
  abandoned,  // nobody needs the result any more: another failed, or who waited has gone
  shutdown,   // the service ends
};

constexpr std::string_view to_string(CancelReason reason) noexcept {
  switch (reason) {
    case CancelReason::user: return "user";
    case CancelReason::deadline: return "deadline";
    case CancelReason::overload: return "overload";
    case CancelReason::abandoned: return "abandoned";
    case CancelReason::shutdown: return "shutdown";
  }
  return "unknown";
}

}  // namespace skua
