// toml++ for files that anybody may have written. Private.
//
// Version 3.3 asserts what only the file can get wrong: "[.1" ends a program whose assertions are on, and is undefined
// where NDEBUG is defined. Here a failed assertion is an exception, whatever NDEBUG says. For that to be no second
// definition of functions that the user's program may have too, the namespace has another name.
#pragma once

#include <cassert>
#include <exception>

namespace skua::config {

class TomlAssertion : public std::exception {
 public:
  const char* what() const noexcept override { return "toml++ cannot parse it"; }
};

[[noreturn]] inline void fail_toml_assertion() { throw TomlAssertion(); }
constexpr void toml_assert(bool holds) {
  if (!holds) fail_toml_assertion();
}

}  // namespace skua::config

#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(condition) ::skua::config::toml_assert(static_cast<bool>(condition))
#define TOML_EXCEPTIONS 0
#define toml skua_toml
#include <toml++/toml.h>
#undef toml
#pragma pop_macro("NDEBUG")
