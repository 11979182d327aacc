#include "doctor.hpp"

#include <skua/option_table.hpp>
#if defined(SKUA_WITH_CONFIG)
#include <skua/config/load.hpp>
#endif

#include <unistd.h>

#include <algorithm>
#include <string>

namespace skua::cli {

namespace {

Result<Options> load_options() {
#if defined(SKUA_WITH_CONFIG)
  auto loaded = config::load(0, nullptr);
  if (!loaded) return loaded.error();
  return std::move(loaded->options);
#else
  Options options;
  if (auto done = options.set_from_environment(); !done) return done.error();
  return options;
#endif
}

bool is_known_variable(std::string_view name) {
  return name == "SKUA_CONFIG" ||
         std::ranges::any_of(option_table(), [name](const OptionEntry& entry) { return entry.variable == name; });
}

void check_variable_names(Report& report) {
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const std::string name(text.substr(0, text.find('=')));
    if (!name.starts_with("SKUA_") || is_known_variable(name)) continue;
    report.warn("environment", name + " is set, and means nothing to the runtime");
  }
}

}  // namespace

Options check_options(Report& report) {
  auto options = load_options();
  if (!options) {
    report.fail("options", options.error().message());
  } else {
    std::string text;
    for (const OptionEntry& entry : option_table()) {
      const Origin& origin = entry.origin(*options);
      if (!text.empty()) text += ", ";
      text += std::string(entry.key) + " = " + entry.value(*options);
      if (origin.source != Source::default_value) text += " (from " + origin.describe() + ")";
    }
    report.ok("options", text);
  }
  check_variable_names(report);
  return std::move(options).value_or(Options{});
}

}  // namespace skua::cli
