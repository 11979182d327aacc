// Options as text: who set what, and a file for load_file().
#pragma once

#include <skua/options.hpp>

#include <string>

namespace skua::config {

/// One line for each option: key, value, and who set it. What --print-config prints.
std::string describe(const Options& options);

enum class TomlStyle {
  full,   // before each key what it does, takes and is called elsewhere; a key that nobody has set is a comment
  brief,  // one line for each key, with what it takes
};

/// A skua.toml that sets these options.
std::string to_toml(const Options& options, TomlStyle style = TomlStyle::full);

}  // namespace skua::config
