// `skua config print`: what a program started here would be told by file and environment, and by whom.
#include "command.hpp"

#include <skua/config/load.hpp>
#include <skua/config/print.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>

namespace skua::cli {

namespace {

int print(bool as_toml, config::TomlStyle style) {
  const auto loaded = config::load(0, nullptr);
  if (!loaded) {
    std::fprintf(stderr, "%s\n", loaded.error().message().c_str());
    return 1;
  }
  const std::string text = as_toml ? config::to_toml(loaded->options, style) : config::describe(loaded->options);
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace

void add_config_print(CLI::App& config) {
  CLI::App* const command = config.add_subcommand("print", "Print each key, its value, and who set it");
  CLI::Option* const toml = command->add_flag("--toml")->description("As a skua.toml with explanations");
  const CLI::Option* const brief = command->add_flag("--brief")->description("One line for each key")->needs(toml);
  command->callback([toml, brief] {
    end_with(print(!toml->empty(), brief->empty() ? config::TomlStyle::full : config::TomlStyle::brief));
  });
}

}  // namespace skua::cli
