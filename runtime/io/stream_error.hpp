// StreamError: what can go wrong with a stream of bytes that the system has no errno for.
//
//   if (result.error() == make_error_code(StreamError::unexpected_eof)) ...
//   if (result.error().code() == StreamError::unexpected_eof) ...
#pragma once

#include <skua/core/error.hpp>

#include <string>
#include <system_error>

namespace skua {

enum class StreamError {
  unexpected_eof = 1,  // the stream ended in the middle of what was asked for
  write_zero,          // a writer took no byte of a buffer that had some
};

std::error_code make_error_code(StreamError error) noexcept;

/// An error of a part, told as an error of the whole: `operation`, `how_far`, then what the part was doing. The code is
/// the part's.
Error error_of_part(const Error& part, const char* operation, std::string how_far);

}  // namespace skua

template <>
struct std::is_error_code_enum<skua::StreamError> : std::true_type {};
