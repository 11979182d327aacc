// The option table: every key with its spellings, its allowed values and how to read and write it.
//
// Files, the environment, the command line, error messages and the printed overview all come from this one table:
// an option that is added here is known everywhere.
#pragma once

#include <skua/options.hpp>

#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace skua {

struct OptionEntry {
  std::string_view key;       // "reactor.mode": in a file, `mode` of the table `[reactor]`
  const char* variable;       // "SKUA_REACTOR_MODE"
  std::string_view flag;      // "--reactor-mode"
  std::string_view expected;  // "workers or thread"
  bool (*set)(Options&, std::string_view value, Origin origin);  // false: no such value
  std::string (*value)(const Options&);
  const Origin& (*origin)(const Options&);
};

std::span<const OptionEntry> option_table() noexcept;

/// What can be wrong apart from a value that its entry does not allow.
enum class OptionFault {
  unknown_key = 1000,
  value_missing,
  bad_syntax,
};

/// Compares equal to std::errc::invalid_argument, as does
std::error_code make_error_code(OptionFault fault) noexcept;
/// the error of a value: it names the key, the value, who set it, and what was expected.
Error value_not_allowed(const OptionEntry& entry, std::string_view value, const Origin& origin);

}  // namespace skua
