// The option table: every key with its spellings, its allowed values, what it does, and how to read and write it.
//
// Files, the environment, the command line, error messages, the printed overview, `skua config`, the reference in
// docs/configuration.md and what may change while a runtime works all come from this one table: an option that is added
// here is known everywhere.
#pragma once

#include <skua/options.hpp>

#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace skua {

class RuntimeCore;

/// What is told of an option, and done when it changes.
struct OptionAbout {
  std::string_view unit = {};  // of a number: "threads", "ms"
  std::string_view effect;     // one sentence
  std::string_view when;       // to change it: what one sees, and which way to go
  /// Makes a running runtime do what `now` says; called by RuntimeCore::reconfigure(), once at a time. Null: the value
  /// is read at the start, and a change needs a restart.
  Result<void> (*apply)(RuntimeCore&, const Options& now) = nullptr;
};

struct OptionEntry {
  std::string_view key;       // "reactor.mode": in a file, `mode` of the table `[reactor]`
  const char* variable;       // "SKUA_REACTOR_MODE"
  std::string_view flag;      // "--reactor-mode"
  std::string (*expected)();  // "workers or thread"
  OptionAbout about;
  bool (*set)(Options&, std::string_view value, Origin origin);  // false: no such value
  std::string (*value)(const Options&);
  const Origin& (*origin)(const Options&);
  bool& (*locked)(Options&);

  /// "a number from 0 to 3600000 (ms)"
  std::string takes() const;
  /// May change while a runtime works.
  bool is_hot() const noexcept { return about.apply != nullptr; }
};

std::span<const OptionEntry> option_table() noexcept;
/// Null: there is no such key.
const OptionEntry* find_option(std::string_view key) noexcept;

/// What can be wrong apart from a value that its entry does not allow.
enum class OptionFault {
  unknown_key = 1000,
  value_missing,
  bad_syntax,
  locked,
  needs_restart,
};

/// Compares equal to std::errc::invalid_argument, as does the error of a value that is not allowed; `locked` to
/// operation_not_permitted, `needs_restart` to operation_not_supported.
std::error_code make_error_code(OptionFault fault) noexcept;

// The errors. Each names who tried.
Error value_not_allowed(const OptionEntry& entry, std::string_view value, const Origin& origin);
/// `spelled` is a key, a variable or a flag; the error names the nearest of its kind if one is near.
Error unknown_option(std::string_view spelled, const Origin& origin);
Error locked_option(const OptionEntry& entry, std::string_view value, const Origin& origin);
Error needs_restart(const OptionEntry& entry, std::string_view value, const Origin& origin);
/// More workers than `workers_limit`.
Error above_limit(const Options& options);

/// "SKUA_WORKERS" for "SKUA_WROKERS", "--reactor-mode" for "--mode", "workers" for "worker"; empty if none is near.
std::string nearest_spelling(std::string_view spelled);

/// The variables of the environment whose names begin with SKUA_, and mean nothing to the runtime.
std::vector<std::string> unknown_variables();

}  // namespace skua
