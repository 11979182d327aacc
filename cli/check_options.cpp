#include "doctor.hpp"

#include <skua/config/load.hpp>
#include <skua/core/log.hpp>
#include <skua/option_table.hpp>

#include <string>
#include <utility>

namespace skua::cli {

namespace {

void check_variable_names(Report& report) {
  for (const std::string& name : unknown_variables()) {
    const std::string nearest = nearest_spelling(name);
    report.warn("environment", name + " is set, and means nothing to the runtime",
                nearest.empty() ? "" : "Did you mean " + nearest + "?");
  }
}

}  // namespace

Options check_options(Report& report) {
  set_log_sink([](LogLevel, std::string_view) {});  // it would say what the report says
  auto loaded = config::load(0, nullptr);
  set_log_sink(nullptr);
  if (!loaded) {
    report.fail("options", loaded.error().message());
  } else {
    std::string text;
    for (const OptionEntry& entry : option_table()) {
      const Origin& origin = entry.origin(loaded->options);
      if (!text.empty()) text += ", ";
      text += std::string(entry.key) + " = " + entry.value(loaded->options);
      if (origin.source != Source::default_value) text += " (from " + origin.describe() + ")";
    }
    report.ok("options", text);
  }
  check_variable_names(report);
  return loaded ? std::move(loaded->options) : Options{};
}

}  // namespace skua::cli
