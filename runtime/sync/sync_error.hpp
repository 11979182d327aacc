// SyncError: what can go wrong between tasks that the system has no errno for.
//
//   if (result.error() == make_error_code(SyncError::closed)) ...
//   if (result.error().code() == SyncError::closed) ...
#pragma once

#include <skua/core/error.hpp>

#include <system_error>

namespace skua {

enum class SyncError {
  closed = 1,   // the other side is gone, or close() was called
  would_block,  // of the try_ forms: not now
  lagged,       // a receiver was too slow, and values that it had not seen were overwritten
};

std::error_code make_error_code(SyncError error) noexcept;

}  // namespace skua

template <>
struct std::is_error_code_enum<skua::SyncError> : std::true_type {};
