// The `skua` command line.
#include "command.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <string>

namespace cli = skua::cli;

int main(int argc, char** argv) {
  CLI::App app("skua: tools for the Skua runtime", "skua");
  app.set_version_flag("--version", "skua " SKUA_VERSION);
  CLI::App& config = *app.add_subcommand("config", "Check, explain and print configuration");
  config.require_subcommand(1);
  cli::add_config_check(config);
  cli::add_config_explain(config);
  cli::add_config_print(config);
  cli::add_doctor(app);
  cli::add_new(app);
  const CLI::App* const help = app.add_subcommand("help", "Show this text");
  const std::string usage = app.help();  // before parsing: afterwards it would be that of the subcommand
  CLI11_PARSE(app, argc, argv);

  (help->parsed() ? std::cout : std::cerr) << usage;
  return help->parsed() ? 0 : 1;
}
