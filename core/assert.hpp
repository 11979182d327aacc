// Preconditions and misuse: both end the program at once, with the cause and the cure.
//
// SKUA_ASSERT states an invariant of ours; it is checked where SKUA_ASSERTIONS is defined (every build
// of the test suite except the release ones). fail_fast() reports misuse by the user and is always on.
#pragma once

#include <string_view>

namespace skua {

/// Prints "skua: <cause>. <cure>" to standard error and aborts. Never returns, never allocates.
[[noreturn]] void fail_fast(std::string_view cause, std::string_view cure) noexcept;

/// Called by SKUA_ASSERT when `condition` was false at `file`:`line`.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace skua

#if defined(SKUA_ASSERTIONS)
#define SKUA_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::skua::assertion_failed(#condition, __FILE__, __LINE__))
#else
#define SKUA_ASSERT(condition) static_cast<void>(sizeof(!(condition)))
#endif
