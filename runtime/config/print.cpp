#include <skua/config/print.hpp>
#include <skua/config/toml.hpp>
#include <skua/option_table.hpp>

#include <algorithm>
#include <cstddef>
#include <sstream>
#include <string_view>

namespace skua::config {

namespace {

template <class Width>
std::size_t widest(Width width) {
  std::size_t most = 0;
  for (const OptionEntry& entry : option_table()) most = std::max(most, width(entry));
  return most;
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

// "blocking" of "blocking.threads"; empty for "workers".
std::string_view table_of(std::string_view key) {
  const auto dot = key.find('.');
  return dot == std::string_view::npos ? std::string_view() : key.substr(0, dot);
}

std::string quoted(const std::string& text) {
  std::ostringstream quoted;
  quoted << skua_toml::toml_formatter(skua_toml::value<std::string>(text), skua_toml::format_flags::none);
  return quoted.str();
}

std::string assignment(const OptionEntry& entry, const Options& options) {
  const auto table = table_of(entry.key);
  const std::string value = entry.value(options);
  const bool is_number = value.find_first_not_of("0123456789") == std::string::npos;
  return std::string(entry.key.substr(table.empty() ? 0 : table.size() + 1)) + " = " +
         (is_number ? value : quoted(value));
}

std::string full_entry(const OptionEntry& entry, const Options& options) {
  const bool is_set = entry.origin(options).source != Source::default_value;
  return "\n# " + std::string(entry.about.effect) + "\n# " + entry.takes() + "; " + entry.variable + "\n" +
         (is_set ? "" : "# ") + assignment(entry, options) + "\n";
}

}  // namespace

std::string describe(const Options& options) {
  const std::size_t keys = widest([](const OptionEntry& entry) { return entry.key.size(); });
  const std::size_t values = widest([&](const OptionEntry& entry) { return entry.value(options).size(); });
  std::string text;
  for (const OptionEntry& entry : option_table()) {
    text += padded(std::string(entry.key), keys + 3) + padded(entry.value(options), values + 3) +
            entry.origin(options).describe() + "\n";
  }
  return text;
}

std::string to_toml(const Options& options, TomlStyle style) {
  const std::size_t width = widest([&](const OptionEntry& entry) { return assignment(entry, options).size(); });
  std::string text;
  std::string_view table;
  for (const OptionEntry& entry : option_table()) {
    if (const auto own = table_of(entry.key); own != table) {
      table = own;
      text += (style == TomlStyle::full ? "\n[" : "[") + std::string(table) + "]\n";
    }
    text += style == TomlStyle::full ? full_entry(entry, options)
                                     : padded(assignment(entry, options), width + 2) + "# " + entry.takes() + "\n";
  }
  return text;
}

}  // namespace skua::config
